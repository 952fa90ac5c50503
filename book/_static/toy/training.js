// How a step changes the weights, when a run stops, and one run under way.
"use strict";

toyParts.core.push(function training(toy) {
  const BATCH = 20;
  const SIZES = [2, 16, 16, 16, 16, 2];
  const MOMENTUM = 0.9;
  const ADAM = { first: 0.9, second: 0.999, epsilon: 1e-8 };
  const VALIDATION = 100; // points; none of them is trained on
  const TEST = 400;

  // What a step multiplies by the learning rate: `at` numbers the parameters, g is the gradient.
  const DIRECTIONS = {
    sgd: (memory, at, g) => g,

    momentum(memory, at, g) {
      const velocity = (memory.velocity[at] ??= new Float64Array(g.length));
      return velocity.forEach((v, i) => { velocity[i] = MOMENTUM * v + g[i]; }) ?? velocity;
    },

    adam(memory, at, g) {
      const { first, second, epsilon } = ADAM;
      const m = (memory.first[at] ??= new Float64Array(g.length));
      const v = (memory.second[at] ??= new Float64Array(g.length));
      // Both averages begin at zero; these divisors undo what that takes away.
      const [m1, v1] = [1 - first ** memory.steps, 1 - second ** memory.steps];
      return g.map((slope, i) => {
        m[i] += (1 - first) * (slope - m[i]);
        v[i] += (1 - second) * (slope * slope - v[i]);
        return m[i] / m1 / (Math.sqrt(v[i] / v1) + epsilon);
      });
    },
  };

  class Optimizer {
    // `optimizer`: sgd, momentum or adam; `l2`: none, coupled or decoupled; `lr`, `lam`: numbers.
    constructor({ optimizer, l2, lr, lam }) {
      Object.assign(this, { direction: DIRECTIONS[optimizer], l2, lr, lam });
      this.memory = { steps: 0, velocity: [], first: [], second: [] };
    }

    step(parameters, gradients) {
      this.memory.steps += 1;
      parameters.forEach((one, at) => this.move(one, gradients[at], at));
    }

    // Coupled L2 is part of the gradient; decoupled, it shrinks the weight beside the step.
    move({ values, decayed }, gradient, at) {
      const coupled = decayed && this.l2 === "coupled" ? this.lam : 0;
      const decoupled = decayed && this.l2 === "decoupled" ? this.lam : 0;
      const g = gradient.map((slope, i) => slope + coupled * values[i]);
      const direction = this.direction(this.memory, at, g);
      for (let i = 0; i < values.length; i++) {
        values[i] = (1 - this.lr * decoupled) * values[i] - this.lr * direction[i];
      }
    }
  }

  // Early stopping: after `patience` epochs without a lower validation loss. 0 = never.
  class Stopper {
    constructor(patience) {
      Object.assign(this, { patience, epoch: 0, best: Infinity, bestEpoch: 0 });
    }

    // Note an epoch's validation loss; return whether it is the lowest so far.
    see(loss) {
      this.epoch += 1;
      if (!(loss < this.best)) return false;
      [this.best, this.bestEpoch] = [loss, this.epoch];
      return true;
    }

    get done() {
      return this.patience > 0 && this.epoch - this.bestEpoch >= this.patience;
    }
  }

  // One network under training. Equal settings make equal runs, epoch by epoch.
  class Run {
    constructor(settings) {
      const { data, n, noise, seed, bn, drop, patience } = settings;
      const stream = (name) => new toy.Stream(seed, name);
      const points = (name, size) => toy.data.points(data, size, noise, stream(name));
      this.train = points("training points", n);
      this.validation = points("validation points", VALIDATION);
      this.test = points("test points", TEST);
      this.layers = toy.network.create(SIZES, bn, stream("weights"));
      this.parameters = toy.network.parameters(this.layers);
      this.optimizer = new Optimizer(settings);
      this.stopper = new Stopper(patience);
      [this.order, this.masks] = [stream("order"), stream("masks")];
      Object.assign(this, { drop, epoch: 0, stopped: null, best: null });
    }

    // Train once on every point; the run may be stopped afterwards.
    advance() {
      if (this.stopped) return;
      const order = this.order.permutation(this.train.n);
      for (let i = 0; i < order.length; i += BATCH) {
        this.step(toy.data.chosen(this.train, order.slice(i, i + BATCH)));
      }
      this.epoch += 1;
      if (this.stopper.patience) this.consider();
      const finite = this.parameters.every(({ values }) => values.every(Number.isFinite));
      if (!finite) this.stopped = "diverged";
    }

    step({ x, labels, n }) {
      const { layers, drop } = this;
      const masks = drop > 0 ? toy.network.drawMasks(layers, n, drop, this.masks) : null;
      const { logits, kept } = toy.network.forward(layers, x, n, drop, masks);
      const { slope } = toy.network.crossEntropy(logits, labels, n);
      const gradients = toy.network.backward(layers, kept, slope, n, drop);
      this.optimizer.step(this.parameters, gradients);
      layers.forEach(({ norm }, at) => norm && toy.network.remember(norm, kept[at].batch, n));
    }

    // Look at the validation points; when patience ends, go back to the best weights.
    consider() {
      const better = this.stopper.see(this.scores(this.validation).loss);
      if (better) this.best = toy.network.snapshot(this.layers);
      if (!this.stopper.done) return;
      this.stopped = "early";
      if (this.best) toy.network.restore(this.layers, this.best);
    }

    // Return loss, without penalty, and accuracy in evaluation mode.
    scores({ x, labels, n }) {
      const logits = toy.network.scores(this.layers, x, n);
      const right = labels.filter((label, i) => label === +(logits[2 * i + 1] > logits[2 * i]));
      return { loss: toy.network.crossEntropy(logits, labels, n).loss, accuracy: right.length / n };
    }
  }

  Object.assign(toy, { Optimizer, Stopper, Run });
});
