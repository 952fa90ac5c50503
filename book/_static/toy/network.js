// The network: layers of weights, each but the last followed by batch normalization (if it is on),
// ReLU and dropout (if it is on). Values are Float64Array, row after row: example i, unit j of m is at
// i * m + j. Formulas and their names are those of the chapters; tests/test_toy_core.py compares
// everything here with torch and reglab.formulas.
"use strict";

toyParts.core.push(function network(toy) {
  const EPSILON = 1e-5; // added to the variance
  const ALPHA = 0.1; // weight of a new batch in the running statistics

  // Return layers of the given sizes; He's initial weights, N(0, 2 / inputs).
  function create(sizes, batchNorm, stream) {
    return sizes.slice(1).map((outputs, at) => {
      const inputs = sizes[at];
      const hidden = at < sizes.length - 2;
      const scale = Math.sqrt(2 / inputs);
      const weight = Float64Array.from({ length: inputs * outputs }, () => scale * stream.normal());
      const norm = hidden && batchNorm ? newNorm(outputs) : null;
      // The batch's mean would take a bias away again, so with normalization there is none.
      const bias = norm ? null : new Float64Array(outputs);
      return { inputs, outputs, hidden, weight, bias, norm };
    });
  }

  function newNorm(units) {
    const filled = (value) => new Float64Array(units).fill(value);
    return { gamma: filled(1), beta: filled(0), mean: filled(0), variance: filled(1) };
  }

  // The parameters in the order of the gradients; L2 applies to weights only.
  function parameters(layers) {
    return layers.flatMap(({ weight, bias, norm }) => [
      { values: weight, decayed: true },
      ...(norm ? [norm.gamma, norm.beta] : [bias]).map((values) => ({ values, decayed: false })),
    ]);
  }

  // z_ij = sum_k w_jk x_ik + b_j. Four examples at a time share each weight that is read, which is
  // several times as fast; past the last example it is computed again and written nowhere.
  function linear({ inputs, outputs, weight, bias }, x, n) {
    const z = new Float64Array(n * outputs);
    const last = (n - 1) * inputs;
    for (let i = 0; i < n; i += 4) {
      const a = i * inputs;
      const b = Math.min(a + inputs, last);
      const c = Math.min(b + inputs, last);
      const d = Math.min(c + inputs, last);
      for (let j = 0; j < outputs; j++) {
        let p = bias ? bias[j] : 0;
        let q = p, r = p, s = p;
        for (let k = 0; k < inputs; k++) {
          const w = weight[j * inputs + k];
          p += w * x[a + k];
          q += w * x[b + k];
          r += w * x[c + k];
          s += w * x[d + k];
        }
        const to = i * outputs + j;
        z[to] = p;
        if (i + 1 < n) z[to + outputs] = q;
        if (i + 2 < n) z[to + 2 * outputs] = r;
        if (i + 3 < n) z[to + 3 * outputs] = s;
      }
    }
    return z;
  }

  // Return each unit's mean and biased variance over the batch.
  function moments(z, n, units) {
    const mean = new Float64Array(units);
    const variance = new Float64Array(units);
    z.forEach((value, at) => { mean[at % units] += value / n; });
    z.forEach((value, at) => { variance[at % units] += (value - mean[at % units]) ** 2 / n; });
    return { mean, variance };
  }

  // Training mode: y = gamma x_hat + beta with the batch's own statistics.
  function normalizeBatch(norm, z, n) {
    const units = norm.gamma.length;
    const { mean, variance } = moments(z, n, units);
    const deviation = variance.map((value) => Math.sqrt(value + EPSILON));
    const hat = z.map((value, at) => (value - mean[at % units]) / deviation[at % units]);
    const y = hat.map((value, at) => norm.gamma[at % units] * value + norm.beta[at % units]);
    return { y, hat, deviation, mean, variance };
  }

  // The batch was normalized with the biased variance; the unbiased one is remembered.
  function remember(norm, { mean, variance }, n) {
    for (let j = 0; j < mean.length; j++) {
      norm.mean[j] += ALPHA * (mean[j] - norm.mean[j]);
      norm.variance[j] += ALPHA * ((variance[j] * n) / (n - 1) - norm.variance[j]);
    }
  }

  // Evaluation mode: the remembered statistics are constants, so that normalization is a factor and a
  // shift, which the layer's weights and bias can take in. Return the layer that has.
  function folded({ inputs, outputs, hidden, weight, bias, norm }) {
    if (!norm) return { inputs, outputs, hidden, weight, bias };
    const slope = norm.gamma.map((gamma, j) => gamma / Math.sqrt(norm.variance[j] + EPSILON));
    return {
      inputs, outputs, hidden,
      weight: weight.map((value, at) => value * slope[Math.floor(at / inputs)]),
      bias: norm.beta.map((beta, j) => beta - norm.mean[j] * slope[j]),
    };
  }

  // Return a mask of ones (kept) and zeros (dropped) for each hidden layer.
  function drawMasks(layers, n, drop, stream) {
    return layers.filter((layer) => layer.hidden).map((layer) =>
      Float64Array.from({ length: n * layer.outputs }, () => (stream.uniform() < drop ? 0 : 1)));
  }

  // Return the logits in evaluation mode: remembered statistics, no dropout.
  function scores(layers, x, n) {
    let h = x;
    for (const layer of layers.map(folded)) {
      h = linear(layer, h, n);
      if (layer.hidden) rectify(h);
    }
    return h;
  }

  function rectify(h) {
    for (let at = 0; at < h.length; at++) if (h[at] < 0) h[at] = 0;
  }

  // Return the logits in training mode, and for each layer what its gradient needs.
  function forward(layers, x, n, drop, masks) {
    const kept = [];
    let h = x;
    layers.forEach((layer, at) => {
      const step = { input: h };
      h = linear(layer, h, n);
      if (layer.norm) {
        step.batch = normalizeBatch(layer.norm, h, n);
        h = step.batch.y;
      }
      if (layer.hidden) {
        step.before = h;
        step.mask = masks ? masks[at] : null;
        h = activate(h, step.mask, drop);
      }
      kept.push(step);
    });
    return { logits: h, kept };
  }

  // ReLU, then inverted dropout: r h / (1 - drop).
  function activate(z, mask, drop) {
    const keep = 1 - drop;
    return z.map((value, at) => Math.max(value, 0) * (mask ? mask[at] / keep : 1));
  }

  // Return the mean cross-entropy of logits and its gradient in them: (softmax - one-hot) / n.
  function crossEntropy(logits, labels, n) {
    const classes = logits.length / n;
    const slope = new Float64Array(logits.length);
    let loss = 0;
    for (let i = 0; i < n; i++) {
      const row = i * classes;
      let top = logits[row]; // taken off, so that no exponential overflows
      for (let c = 1; c < classes; c++) top = Math.max(top, logits[row + c]);
      let total = 0;
      for (let c = 0; c < classes; c++) total += slope[row + c] = Math.exp(logits[row + c] - top);
      for (let c = 0; c < classes; c++) slope[row + c] /= total * n;
      loss += (Math.log(total) + top - logits[row + labels[i]]) / n;
      slope[row + labels[i]] -= 1 / n;
    }
    return { loss, slope };
  }

  // Return the gradients in the order of `parameters`, from the gradient in the logits.
  function backward(layers, kept, slope, n, drop) {
    const gradients = [];
    let g = slope;
    for (let at = layers.length - 1; at >= 0; at--) {
      const [layer, step] = [layers[at], kept[at]];
      const own = [];
      if (layer.hidden) g = activateBackward(step, g, drop);
      if (layer.norm) {
        const back = normalizeBackward(layer.norm, step.batch, g, n);
        own.push(back.gamma, back.beta);
        g = back.z;
      } else {
        own.push(columnSums(g, layer.outputs));
      }
      gradients.unshift(weightGradient(layer, step.input, g, n), ...own);
      if (at > 0) g = inputGradient(layer, g, n);
    }
    return gradients;
  }

  function activateBackward({ before, mask }, g, drop) {
    const keep = 1 - drop;
    return g.map((value, at) => (before[at] > 0 ? value * (mask ? mask[at] / keep : 1) : 0));
  }

  // With means over the batch: z: gamma / s (g - mean g - x_hat mean(g x_hat)); gamma: sum g x_hat.
  function normalizeBackward(norm, { hat, deviation }, g, n) {
    const units = norm.gamma.length;
    const beta = columnSums(g, units);
    const gamma = columnSums(g.map((value, at) => value * hat[at]), units);
    const z = g.map((value, at) => {
      const j = at % units;
      const centred = value - beta[j] / n - (hat[at] * gamma[j]) / n;
      return (norm.gamma[j] / deviation[j]) * centred;
    });
    return { z, gamma, beta };
  }

  function columnSums(values, columns) {
    const sums = new Float64Array(columns);
    values.forEach((value, at) => { sums[at % columns] += value; });
    return sums;
  }

  function weightGradient({ inputs, outputs }, input, g, n) {
    const slope = new Float64Array(inputs * outputs);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < outputs; j++) {
        const value = g[i * outputs + j];
        for (let k = 0; k < inputs; k++) slope[j * inputs + k] += value * input[i * inputs + k];
      }
    }
    return slope;
  }

  function inputGradient({ inputs, outputs, weight }, g, n) {
    const slope = new Float64Array(n * inputs);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < outputs; j++) {
        const value = g[i * outputs + j];
        for (let k = 0; k < inputs; k++) slope[i * inputs + k] += value * weight[j * inputs + k];
      }
    }
    return slope;
  }

  // Return copies of everything that evaluation needs; `restore` puts them back.
  function snapshot(layers) {
    return state(layers).map((values) => values.slice());
  }

  function restore(layers, copies) {
    state(layers).forEach((values, at) => values.set(copies[at]));
  }

  function state(layers) {
    const norms = layers.map((layer) => layer.norm).filter(Boolean);
    const running = norms.flatMap((norm) => [norm.mean, norm.variance]);
    return [...parameters(layers).map((one) => one.values), ...running];
  }

  toy.network = {
    create, parameters, scores, forward, backward, remember, drawMasks, crossEntropy, snapshot,
    restore,
  };
});
