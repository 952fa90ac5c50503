// Points in the plane with one of two classes, half of them of each.
"use strict";

toyParts.core.push(function data(toy) {
  const SHAPES = {
    // Two half circles that reach into each other.
    moons(side, stream) {
      const turn = Math.PI * stream.uniform();
      const [x, y] = [Math.cos(turn) - 0.5, Math.sin(turn) - 0.25];
      return side ? [-x, -y] : [x, y];
    },

    // One ring around another.
    circles(side, stream) {
      const turn = 2 * Math.PI * stream.uniform();
      const radius = side ? 0.5 : 1.2;
      return [radius * Math.cos(turn), radius * Math.sin(turn)];
    },

    // Four quarters; those that face each other belong together.
    xor(side, stream) {
      const [x, y] = [0.1 + 1.2 * stream.uniform(), 0.1 + 1.2 * stream.uniform()];
      const half = stream.uniform() < 0.5 ? -1 : 1;
      return [half * x, half * (side ? -y : y)];
    },

    // Two arms that wind around each other, a turn and a half.
    spiral(side, stream) {
      const along = Math.sqrt(0.02 + 0.98 * stream.uniform()); // as dense outside as inside
      const turn = 3 * Math.PI * along + (side ? Math.PI : 0);
      return [1.5 * along * Math.cos(turn), 1.5 * along * Math.sin(turn)];
    },
  };

  // Return {x: coordinates, two a point; labels: 0 or 1; n}. `noise` is the standard deviation of
  // what is added to each coordinate.
  function points(shape, n, noise, stream) {
    const made = { x: new Float64Array(2 * n), labels: new Uint8Array(n), n };
    for (let i = 0; i < n; i++) {
      made.labels[i] = i % 2;
      SHAPES[shape](i % 2, stream).forEach((value, axis) => {
        made.x[2 * i + axis] = value + noise * stream.normal();
      });
    }
    return made;
  }

  // Return the points whose numbers are in `rows`, in that order.
  function chosen(from, rows) {
    const n = rows.length;
    const made = { x: new Float64Array(2 * n), labels: new Uint8Array(n), n };
    rows.forEach((row, i) => {
      made.x.set(from.x.subarray(2 * row, 2 * row + 2), 2 * i);
      made.labels[i] = from.labels[row];
    });
    return made;
  }

  // Return the middles of `side` x `side` squares that fill [-reach, reach]^2, from the upper left.
  function grid(side, reach) {
    const x = new Float64Array(2 * side * side);
    const place = (i) => reach * ((2 * i + 1) / side - 1);
    for (let i = 0; i < side * side; i++) {
      x[2 * i] = place(i % side);
      x[2 * i + 1] = -place(Math.floor(i / side));
    }
    return x;
  }

  toy.data = { points, chosen, grid, shapes: Object.keys(SHAPES) };
});
