// The toy in the page: what the reader does becomes commands, what the engine answers becomes pictures.
"use strict";

toyParts.page.push(function page(toy) {
  const { element, button } = toy.controls;
  const SPEAK_MS = 5000; // between two reports to screen readers, and two notes in the address
  const CHUNK = 25; // epochs at once on the way to a linked state
  const WHY = {
    early: (frame) => `Stopped early: the validation loss was lowest after epoch ${frame.bestEpoch}, ` +
      "and the weights of then are back.",
    diverged: () => "Stopped: the weights have grown beyond all numbers.",
    end: () => "Stopped: this is as long as a run here gets.",
  };
  const percent = (share) => `${(100 * share).toFixed(0)} %`;
  const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  class Toy {
    constructor(place) {
      Object.assign(this, { turn: 0, playing: false, busy: false, goal: 0, spoken: 0, used: false,
                            curve: [], before: [] });
      this.client = new toy.Client((frame) => this.receive(frame));
      this.controls = new toy.controls.Controls((name, value) =>
        this.use().begin({ ...this.settings, [name]: value }));
      this.pictures = toy.controls.pictures();
      this.build(place);
      this.load() || this.begin(toy.settings.opening());
      window.addEventListener("hashchange", () => this.load());
      new ResizeObserver(() => this.draw()).observe(this.pictures.plane.canvas);
      new MutationObserver(() => this.draw())
        .observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    }

    build(place) {
      this.play = button("Play", () => this.use().setPlaying(!this.playing));
      const bar = element("div", { class: "toy-bar" }, this.play,
        button("Step", () => this.use().stepOnce()),
        button("Reset", () => this.use().begin(this.settings)),
        button("Copy link", () => this.use().copyLink()));
      const tries = element("div", { class: "toy-bar" }, element("span", {}, "Try:"),
        ...toy.settings.TRIES.map((one) => button(one.label, () => this.use().tryOut(one))));
      this.note = element("p", { class: "toy-note", hidden: "" });
      this.facts = element("dl", { class: "toy-facts" });
      this.status = element("p", { class: "toy-status", role: "status" });
      const figures = Object.values(this.pictures).map(({ figure }) => figure);
      this.panel = element("div", { class: "toy-panel", role: "group", "aria-label": "Toy network" },
        tries, this.note, bar, element("div", { class: "toy-pictures" }, ...figures), this.facts,
        this.status, this.controls.form);
      place.replaceChildren(this.panel);
    }

    // --- what the reader does ---

    // Until something is used, the page's address stays as it was opened.
    use() {
      this.used = true;
      return this;
    }

    // Begin a run; a run that was playing goes on playing.
    begin(settings, goal = 0) {
      if (this.curve.length > 1) this.before = this.curve;
      Object.assign(this, { settings, goal, curve: [], start: null, frame: null });
      this.turn += 1;
      this.controls.show(settings);
      this.ask({ kind: "start", settings: toy.settings.forEngine(settings) });
    }

    setPlaying(playing) {
      this.playing = playing;
      this.panel.toggleAttribute("data-playing", playing);
      this.play.textContent = playing ? "Pause" : "Play";
      if (playing && this.frame?.stopped) this.begin(this.settings);
      if (playing) this.next();
      else this.rest();
    }

    stepOnce() {
      this.setPlaying(false);
      this.goal = (this.frame?.epoch ?? 0) + 1;
      this.next();
    }

    tryOut({ set, note }) {
      const { seed, speed } = this.settings;
      this.begin({ ...toy.settings.opening(), seed, speed, ...set });
      this.note.textContent = calm() ? `${note} Press Play or Step.` : note;
      this.note.hidden = false;
      this.setPlaying(!calm());
    }

    async copyLink() {
      this.remember();
      try {
        await navigator.clipboard.writeText(location.href);
        this.say("The link is copied.");
      } catch {
        this.say("The link is the address of this page, as it now stands.");
      }
    }

    // Take the state in the page's address, if there is one that is not ours.
    load() {
      if (location.hash === this.written) return true;
      const found = toy.settings.parse(location.hash);
      if (found) {
        this.setPlaying(false);
        this.begin(found.settings, found.epoch);
      }
      return Boolean(found);
    }

    // --- what the engine answers ---

    // One command at a time; after a frame is drawn the next is asked for.
    next() {
      const left = this.goal - (this.frame?.epoch ?? 0);
      if (this.busy || !this.frame || this.frame.stopped || !(this.playing || left > 0)) return;
      const epochs = this.playing ? Number(this.settings.speed) : Math.min(left, CHUNK);
      this.ask({ kind: "advance", epochs });
    }

    ask(command) {
      this.setBusy(true);
      this.client.ask({ ...command, turn: this.turn });
    }

    // Until an answer is drawn; the attribute tells a test.
    setBusy(busy) {
      this.busy = busy;
      this.panel.toggleAttribute("data-busy", busy);
    }

    receive(frame) {
      if (frame.turn !== this.turn) return; // of a run that was left
      this.frame = frame;
      if (frame.points) this.points = frame.points;
      this.start ??= frame.histogram;
      for (const { epoch, train, test } of frame.curves) {
        this.curve.push({ epoch, train: train.loss, test: test.loss });
        this.scores = { train, test };
      }
      requestAnimationFrame(() => this.show(frame));
    }

    show(frame) {
      if (frame !== this.frame) return; // another run was begun meanwhile
      this.setBusy(false);
      this.draw();
      const { stopped, epoch } = frame;
      if (stopped && this.playing) this.setPlaying(false);
      else if (!stopped && (this.playing || epoch < this.goal)) this.next();
      else this.rest();
      if (performance.now() - this.spoken > SPEAK_MS) this.rest();
    }

    draw() {
      if (!this.frame) return;
      const { frame, curve, pictures, view = toy.view } = this;
      const marked = this.settings.stop ? frame.bestEpoch : 0;
      toy.drawing.drawPlane(pictures.plane.canvas, frame, this.points, view);
      toy.drawing.drawCurves(pictures.curves.canvas, curve, this.before, marked);
      toy.drawing.drawHistogram(pictures.weights.canvas, frame.histogram, this.start, view);
      this.tell();
    }

    // --- in words ---

    tell() {
      const { train, test } = this.scores;
      const facts = [
        ["Epoch", this.frame.epoch],
        ["Squared norm of the weights", this.frame.squaredNorm.toPrecision(3)],
        ["Training loss", train.loss.toFixed(3)], ["Test loss", test.loss.toFixed(3)],
        ["Training accuracy", percent(train.accuracy)], ["Test accuracy", percent(test.accuracy)],
      ];
      if (!this.facts.children.length) {
        this.facts.append(...facts.map(([name]) =>
          element("div", {}, element("dt", {}, name), element("dd"))));
      }
      facts.forEach(([, value], at) => { this.facts.children[at].lastChild.textContent = value; });
    }

    // When nothing moves, and now and then while it does: the state in words and in the address.
    rest() {
      if (!this.frame || !this.scores) return;
      const { train, test } = this.scores;
      const why = this.frame.stopped ? ` ${WHY[this.frame.stopped](this.frame)}` : "";
      const losses = `loss ${train.loss.toFixed(2)} in training and ${test.loss.toFixed(2)} on test ` +
        `points; accuracy ${percent(train.accuracy)} and ${percent(test.accuracy)}.`;
      this.say(`Epoch ${this.frame.epoch}: ${losses}${why}`);
      this.describe();
      this.remember();
    }

    say(text) {
      this.spoken = performance.now();
      this.status.textContent = text;
    }

    describe() {
      const { plane, curves, weights } = this.pictures;
      const { train, test } = this.scores;
      const lowest = this.curve.reduce((low, one) => (one.test < low.test ? one : low));
      const shape = this.settings.data === "moons" ? "two moons" : this.settings.data;
      plane.canvas.setAttribute("aria-label", `${this.settings.n} training points, ${shape}, and the ` +
        `network's boundary, which has ${percent(train.accuracy)} of them on the right side.`);
      curves.canvas.setAttribute("aria-label", `After ${this.frame.epoch} epochs the training loss is ` +
        `${train.loss.toFixed(2)} and the test loss ${test.loss.toFixed(2)}; the test loss was lowest, ` +
        `${lowest.test.toFixed(2)}, after epoch ${lowest.epoch}.`);
      weights.canvas.setAttribute("aria-label", "Histogram of the weights: their squared norm is " +
        `${this.frame.squaredNorm.toPrecision(3)}.`);
    }

    remember() {
      if (!this.used) return;
      this.written = toy.settings.format(this.settings, this.frame?.epoch ?? 0);
      if (location.hash !== this.written) history.replaceState(history.state, "", this.written);
    }
  }

  toy.begin = () => document.querySelectorAll(".toy").forEach((place) => new Toy(place));
});

toyParts.assemble([...toyParts.core, ...toyParts.page]).begin();
