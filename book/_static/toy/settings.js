// What a reader can set, in one table: the controls are made of it, and so is the part of the page's
// address that holds a state, "#toy?data=moons&n=40&...&epoch=120".
"use strict";

toyParts.page.push(function settings(toy) {
  const MARK = "#toy?";
  const LAST_EPOCH = 2000;
  const PATIENCE = 50; // epochs, where early stopping is on

  const steps = (from, to, step) =>
    Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => +(from + i * step).toFixed(4));

  // Kinds: `choice` of words, `slider` over values, `switch` (off or on), `whole` number.
  const FIELDS = [
    { name: "data", group: "Data", kind: "choice", label: "Shape", start: "moons",
      options: { moons: "two moons", circles: "circles", xor: "xor", spiral: "spiral" } },
    { name: "n", group: "Data", kind: "slider", label: "Training points n", start: 40,
      values: [20, 40, 60, 80, 100, 140, 200, 300, 400] },
    { name: "noise", group: "Data", kind: "slider", label: "Noise", start: 0.3,
      values: steps(0, 0.5, 0.05) },
    { name: "seed", group: "Data", kind: "whole", label: "Seed", start: 1, most: 9999 },
    { name: "optimizer", group: "Steps", kind: "choice", label: "Optimizer", start: "momentum",
      options: { sgd: "plain SGD", momentum: "SGD, momentum 0.9", adam: "Adam" } },
    { name: "lr", group: "Steps", kind: "slider", label: "Learning rate η", start: 0.03,
      values: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3] },
    { name: "stop", group: "Steps", kind: "switch", label: "Early stopping", start: false },
    { name: "speed", group: "Steps", kind: "choice", label: "Speed", start: "1",
      options: { 1: "1 epoch a frame", 5: "5 epochs a frame", 20: "20 epochs a frame" } },
    { name: "l2", group: "Regularization", kind: "choice", label: "L2", start: "none",
      options: { none: "none", coupled: "coupled", decoupled: "decoupled" } },
    { name: "lam", group: "Regularization", kind: "slider", label: "Strength λ", start: 0.01,
      values: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1] },
    { name: "drop", group: "Regularization", kind: "slider", label: "Drop rate δ", start: 0,
      values: steps(0, 0.8, 0.1) },
    { name: "bn", group: "Regularization", kind: "switch", label: "Batch normalization",
      start: false },
  ];

  // One read of a text: the value that it means for a field, or undefined.
  const READ = {
    choice: (field, text) => (Object.hasOwn(field.options, text) ? text : undefined),
    slider: (field, text) => field.values.find((value) => String(value) === text),
    switch: (field, text) => ({ 0: false, 1: true })[text],
    whole: (field, text) => wholeNumber(text, field.most),
  };

  function wholeNumber(text, most) {
    return /^\d{1,9}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
  }

  const opening = () => Object.fromEntries(FIELDS.map(({ name, start }) => [name, start]));

  // Return {settings, epoch} of the end of an address; null if it holds no state. What is missing or
  // makes no sense is as at the opening.
  function parse(fragment) {
    if (!fragment.startsWith(MARK)) return null;
    const words = new URLSearchParams(fragment.slice(MARK.length));
    const read = (field) => READ[field.kind](field, words.get(field.name) ?? "") ?? field.start;
    const settings = Object.fromEntries(FIELDS.map((field) => [field.name, read(field)]));
    return { settings, epoch: wholeNumber(words.get("epoch") ?? "", LAST_EPOCH) ?? 0 };
  }

  function format(settings, epoch) {
    const words = FIELDS.map(({ name, kind }) =>
      `${name}=${kind === "switch" ? Number(settings[name]) : settings[name]}`);
    return `${MARK}${[...words, `epoch=${epoch}`].join("&")}`;
  }

  // What the engine is told: the settings, and early stopping as a patience.
  const forEngine = (settings) => ({ ...settings, patience: settings.stop ? PATIENCE : 0 });

  const NOISY = { data: "moons", n: 40, noise: 0.3, optimizer: "momentum", lr: 0.03 };
  const TRIES = [
    { label: "Fit the noise", set: NOISY,
      note: "The training loss goes to zero, and the boundary bends around single points. The test " +
        "loss falls at first and then rises: what is learned late is noise." },
    { label: "Now add L2", set: { ...NOISY, l2: "coupled", lam: 0.01 },
      note: "The same points and the same first weights, now with a penalty. The histogram gathers " +
        "at zero, the boundary is smoother, and the test loss climbs far less." },
    { label: "BN with a large rate",
      set: { data: "spiral", n: 200, noise: 0.05, optimizer: "sgd", lr: 1, bn: true },
      note: "At this rate the network learns. Then switch batch normalization off: the same steps " +
        "are too large, and the loss stays high, often near ln 2, that of knowing nothing." },
  ];

  toy.settings = { FIELDS, TRIES, opening, parse, format, forEngine };
});
