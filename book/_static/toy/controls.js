// The panel: buttons, controls and places for pictures, made of the table of settings.
"use strict";

toyParts.page.push(function controls(toy) {
  let made = 0; // panels on this page, so that ids differ

  function element(tag, attributes = {}, ...children) {
    const it = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) it.setAttribute(name, value);
    it.append(...children);
    return it;
  }

  const button = (label, act) => {
    const it = element("button", { type: "button" }, label);
    it.addEventListener("click", act);
    return it;
  };

  // For each kind of setting: its element, and how a value is shown in it and read from it.
  const KINDS = {
    choice: {
      make: ({ options }) => element("select", {}, ...Object.entries(options)
        .map(([value, label]) => new Option(label, value))),
      show: (it, value) => { it.value = value; },
      read: (it) => it.value,
    },
    slider: {
      make: ({ values }) => element("input", { type: "range", min: 0, max: values.length - 1 }),
      show(it, value, { values }) {
        it.value = values.indexOf(value);
        it.setAttribute("aria-valuetext", value);
        it.nextElementSibling.textContent = value;
      },
      read: (it, { values }) => values[Number(it.value)],
    },
    switch: {
      make: () => element("input", { type: "checkbox" }),
      show: (it, value) => { it.checked = value; },
      read: (it) => it.checked,
    },
    whole: {
      make: ({ most }) => element("input", { type: "number", min: 0, max: most, inputmode: "numeric" }),
      show: (it, value) => { it.value = value; },
      read: (it, { most }) => Math.min(Math.max(Math.floor(Number(it.value)) || 0, 0), most),
    },
  };

  // The controls of all settings in groups. `changed` is called with a setting's name and value.
  class Controls {
    constructor(changed) {
      const panel = (made += 1);
      this.inputs = {};
      this.form = element("form", { class: "toy-controls", autocomplete: "off" });
      this.form.addEventListener("submit", (event) => event.preventDefault());
      for (const group of new Set(toy.settings.FIELDS.map((field) => field.group))) {
        const fields = toy.settings.FIELDS.filter((field) => field.group === group);
        const rows = fields.map((field) => this.row(field, `toy-${panel}-${field.name}`, changed));
        this.form.append(element("fieldset", {}, element("legend", {}, group), ...rows));
      }
    }

    row(field, id, changed) {
      const { make, read } = KINDS[field.kind];
      const input = (this.inputs[field.name] = make(field));
      Object.assign(input, { id, name: field.name });
      // A number is taken when it is whole: on Enter or when the field is left.
      const event = field.kind === "whole" ? "change" : "input";
      input.addEventListener(event, () => changed(field.name, read(input, field)));
      const label = element("label", { for: id }, field.label);
      const value = field.kind === "slider" ? [element("output", { for: id })] : [];
      return element("p", {}, label, input, ...value);
    }

    show(settings) {
      for (const field of toy.settings.FIELDS) {
        KINDS[field.kind].show(this.inputs[field.name], settings[field.name], field);
      }
      this.inputs.lam.disabled = settings.l2 === "none"; // a strength of nothing
    }
  }

  // A picture: a canvas that says in words what it shows, under its title.
  function picture(name, title, ...keys) {
    const canvas = element("canvas", { role: "img", "aria-label": title });
    const caption = element("figcaption", {}, element("b", {}, title), ...keys.map(([word, label]) =>
      element("span", { class: `toy-key toy-key-${word}` }, label)));
    return { canvas, figure: element("figure", { class: `toy-${name}` }, caption, canvas) };
  }

  function pictures() {
    return {
      plane: picture("plane", "Training points", ["zero", "class 0"], ["one", "class 1"],
        ["boundary", "boundary"]),
      curves: picture("curves", "Loss over epochs", ["train", "training"], ["test", "test"],
        ["before", "test before"], ["nothing", "ln 2"]),
      weights: picture("weights", "Histogram of the weights", ["now", "now"], ["start", "at the start"]),
    };
  }

  toy.controls = { Controls, element, button, pictures };
});
