// Random numbers that a seed and a name decide. Data, weights, order and masks have a stream each, so
// that switching a technique on changes nothing else: two runs of one seed are paired, as in the book.
"use strict";

toyParts.core.push(function random(toy) {
  // FNV-1a: 32 bits of a text.
  function hash(text) {
    let bits = 0x811c9dc5;
    for (const letter of text) bits = Math.imul(bits ^ letter.codePointAt(0), 0x01000193);
    return bits;
  }

  // sfc32 (Doty-Humphrey, PractRand): a counter and three words, shuffled into each other.
  function generator(seed) {
    let [a, b, c, counter] = [seed, 0x9e3779b9, 0x243f6a88, 1];
    return () => {
      const result = (a + b + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + result) | 0;
      return (result >>> 0) / 2 ** 32;
    };
  }

  class Stream {
    constructor(seed, name) {
      this.uniform = generator(hash(`${seed}/${name}`));
      for (let i = 0; i < 16; i++) this.uniform(); // until the seed is in all words
    }

    // Box and Muller's method; the logarithm's argument is in (0, 1].
    normal() {
      const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
      return radius * Math.cos(2 * Math.PI * this.uniform());
    }

    // The numbers 0 to n - 1 in random order (Fisher and Yates).
    permutation(n) {
      const order = Uint32Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = Math.floor(this.uniform() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    }
  }

  toy.Stream = Stream;
});
