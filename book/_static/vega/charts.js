// Shows the pictures that reglab.charts puts into a page: one state at a time, as the reader chooses.
// It computes nothing and asks no other host for anything.
"use strict";

(() => {
  const root = document.documentElement;
  // Blue, orange, grey: told apart by people with colour blindness, on the ground of each theme.
  const COLORS = {
    light: ["#0072b2", "#c05000", "#767676"],
    dark: ["#56b4e9", "#f0a030", "#a8a8a8"],
  };

  const theme = () => (root.dataset.theme === "dark" ? "dark" : "light");

  function config() {
    const style = getComputedStyle(root);
    const of = (name, other) => style.getPropertyValue(name).trim() || other;
    const dark = theme() === "dark";
    const text = of("--pst-color-text-base", dark ? "#ced6dd" : "#323232");
    const line = dark ? "#48566b" : "#d8d8d8";
    const size = { labelFontSize: 12, titleFontSize: 12 };
    return {
      background: "transparent",
      font: of("--pst-font-family-base", "sans-serif"),
      view: { stroke: null },
      axis: { labelColor: text, titleColor: text, titleFontWeight: "normal", domainColor: text,
              tickColor: text, gridColor: line, labelLimit: 150, ...size },
      legend: { labelColor: text, titleColor: text, orient: "bottom", columns: 2, labelLimit: 220,
                symbolBaseStrokeColor: text, layout: { bottom: { direction: "vertical",
                anchor: "start" } }, ...size },
      range: { category: COLORS[theme()] },
      mark: { color: COLORS[theme()][0], tooltip: true },
    };
  }

  // A column of text comes as runs: each value with how often it follows itself.
  function column(packed) {
    return Array.isArray(packed) ? packed
      : packed.runs.flatMap(([value, times]) => Array(times).fill(value));
  }

  // {a: [1, 2], b: [3, 4]} to [{a: 1, b: 3}, {a: 2, b: 4}]
  function rows(packed) {
    const names = Object.keys(packed);
    const columns = Object.fromEntries(names.map((name) => [name, column(packed[name])]));
    return (columns[names[0]] || []).map((_, i) =>
      Object.fromEntries(names.map((name) => [name, columns[name][i]])));
  }

  // The names of the rows that a specification draws.
  function sources(spec) {
    const found = [spec, ...(spec.layer || [])].map((part) => part.data && part.data.name);
    return [...new Set(found.filter(Boolean))];
  }

  class Picture {
    constructor(element) {
      this.element = element;
      Object.assign(this, JSON.parse(element.querySelector("script").textContent));
      this.state = this.states[this.start];
      this.controls = [...element.querySelectorAll("select, input")];
      this.places = [...element.querySelectorAll(".chart")];
      this.views = [];
      this.turn = 0;
      this.controls.forEach((control, at) =>
        control.addEventListener("input", () => this.choose(control, at)));
    }

    async begin() {
      this.element.querySelector(".waiting").remove();
      this.element.querySelector("form").hidden = false;
      this.element.querySelector(".charts").hidden = false;
      this.fill();
      await this.draw();
    }

    // The first `count` words chosen must agree.
    agrees(state, path, count) {
      return path.slice(0, count).every((word, at) => state.path[at] === word);
    }

    choose(control, at) {
      if (control.type === "range") {
        this.state = this.states[Number(control.value)];
      } else {
        const path = [...this.state.path];
        path[at] = control.value;
        // Keep the words behind the changed one where there is such a state.
        const left = this.states.filter((state) => this.agrees(state, path, at + 1));
        this.state = left.find((state) => this.agrees(state, path, path.length)) ||
          left.find((state) => this.agrees(state, path, path.length - 1) && state.first) ||
          left.find((state) => this.agrees(state, path, path.length - 1)) ||
          left.find((state) => state.first) || left[0];
      }
      this.fill();
      this.show();
    }

    // Bring the controls and the text in step with the state.
    fill() {
      this.controls.forEach((control, at) => {
        const word = this.state.path[at];
        if (control.type === "range") {
          control.value = this.states.indexOf(this.state);
          control.setAttribute("aria-valuetext", word);
          control.nextElementSibling.textContent = word;
          return;
        }
        const open = this.states.filter((state) => this.agrees(state, this.state.path, at));
        const words = [...new Set(open.map((state) => state.path[at]))];
        const old = [...control.options].map((option) => option.value);
        if (words.join("\n") !== old.join("\n")) {
          control.replaceChildren(...words.map((one) => new Option(one)));
        }
        control.value = word;
      });
      const facts = this.element.querySelector(".facts");
      facts.replaceChildren(...this.state.facts.map(([name, value]) => {
        const pair = document.createElement("div");
        const [term, text] = ["dt", "dd"].map((kind) => document.createElement(kind));
        term.textContent = name;
        text.textContent = value;
        pair.append(term, text);
        return pair;
      }));
    }

    async draw() {
      const turn = ++this.turn;
      this.views.forEach((made) => made.finalize());
      this.views = [];
      const options = { actions: false, renderer: "svg", config: config(), mode: "vega-lite",
                        tooltip: { theme: theme() } };
      const made = await Promise.all(this.charts.map((spec, at) =>
        vegaEmbed(this.places[at], { ...spec, datasets: this.rows(spec) }, options)));
      if (turn !== this.turn) { // the theme changed again meanwhile
        made.forEach((one) => one.finalize());
        return;
      }
      this.views = made;
      this.show();
    }

    // The rows of the state, by name, that a specification draws.
    rows(spec) {
      const all = { ...this.shared, ...this.state.rows };
      return Object.fromEntries(sources(spec).map((name) => [name, rows(all[name])]));
    }

    show() {
      this.views.forEach(({ view }, at) => {
        Object.entries(this.rows(this.charts[at])).forEach(([name, now]) => view.data(name, now));
        view.resize().runAsync();
      });
    }
  }

  const pictures = [...document.querySelectorAll(".picture")].map((one) => new Picture(one));
  pictures.forEach((picture) => picture.begin());
  new MutationObserver(() => pictures.forEach((picture) => picture.draw()))
    .observe(root, { attributes: true, attributeFilter: ["data-theme"] });
})();
