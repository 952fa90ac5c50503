// Answers commands with frames: what a page draws. In a worker or in the page, the answers are equal.
"use strict";

toyParts.core.push(function engine(toy) {
  const SIDE = 40; // squares of the map in each direction
  const REACH = 2; // the map shows [-2, 2]^2
  const BINS = 41;
  const WIDEST = 2.05; // the histogram shows weights from -2.05 to 2.05, the middle bin's middle is 0
  const LONGEST = 2000; // epochs of a run

  const places = toy.data.grid(SIDE, REACH);

  // Return the log-odds of class 1 at each place of the map: probabilities near 0 and 1 would leave
  // nothing to find the boundary's place between two of them with.
  function map(layers) {
    const logits = toy.network.scores(layers, places, SIDE * SIDE);
    return Float32Array.from({ length: SIDE * SIDE }, (_, i) =>
      logits[2 * i + 1] - logits[2 * i]);
  }

  // Return how many weights are in each bin, those beyond the ends in the outer ones.
  function histogram(layers) {
    const counts = new Uint32Array(BINS);
    for (const { weight } of layers) {
      for (const value of weight) {
        const bin = Math.floor(((value + WIDEST) / (2 * WIDEST)) * BINS);
        counts[Math.min(Math.max(bin, 0), BINS - 1)] += 1;
      }
    }
    return counts;
  }

  const squaredNorm = (layers) => layers.reduce((all, { weight }) =>
    weight.reduce((sum, value) => sum + value * value, all), 0);

  class Engine {
    // {kind: "start", turn, settings} begins a run; {kind: "advance", turn, epochs} goes on with it.
    answer(command) {
      if (command.kind === "start") {
        this.run = new toy.Run(command.settings);
        const { x, labels } = this.run.train;
        return { ...this.frame(command.turn, [this.point()]), points: { x, labels } };
      }
      const curves = [];
      for (let i = 0; i < command.epochs && !this.run.stopped; i++) {
        this.run.advance();
        if (this.run.epoch >= LONGEST) this.run.stopped ??= "end";
        curves.push(this.point());
      }
      return this.frame(command.turn, curves);
    }

    // What the curves have of an epoch. When the best weights are back, the scores are theirs.
    point() {
      const { run } = this;
      return { epoch: run.epoch, train: run.scores(run.train), test: run.scores(run.test) };
    }

    frame(turn, curves) {
      const { run } = this;
      const { layers, epoch, stopped } = run;
      return {
        turn, curves, epoch, stopped, map: map(layers), histogram: histogram(layers),
        squaredNorm: squaredNorm(layers), bestEpoch: run.stopper.bestEpoch,
        validation: run.scores(run.validation),
      };
    }
  }

  Object.assign(toy, { Engine, view: { SIDE, REACH, BINS, WIDEST, LONGEST } });
});
