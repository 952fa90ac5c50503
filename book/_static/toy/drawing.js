// The three pictures: the plane with its points, the loss over epochs, the weights' histogram.
"use strict";

toyParts.page.push(function drawing(toy) {
  // The classes' colours as in the book's figures; test loss in a third. Shapes and dashes differ too.
  const THEMES = {
    light: { ground: [255, 255, 255], classes: [[0, 114, 178], [192, 80, 0]], test: "#00755a",
             text: "#323232", faint: "#767676", rule: "#d8d8d8" },
    dark: { ground: [18, 18, 18], classes: [[86, 180, 233], [240, 160, 48]], test: "#40c0a0",
            text: "#ced6dd", faint: "#a8a8a8", rule: "#48566b" },
  };
  const FONT = "12px sans-serif";
  const KNOWING_NOTHING = Math.log(2); // the loss of one half for each of two classes
  const HIGHEST = 3; // of the loss axis; what is above leaves the picture

  const theme = () => THEMES[document.documentElement.dataset.theme === "dark" ? "dark" : "light"];
  const rgb = (color) => `rgb(${color.join(" ")})`;

  // Return the canvas's context, cleared, in units of CSS pixels, with the size in them.
  function begin(canvas) {
    const { clientWidth: width, clientHeight: height } = canvas;
    const sharp = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * sharp), Math.round(height * sharp)];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    const pen = canvas.getContext("2d");
    pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = FONT;
    return { pen, width, height };
  }

  function line(pen, points, color, { width = 2, dash = [] } = {}) {
    pen.beginPath();
    points.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    Object.assign(pen, { strokeStyle: color, lineWidth: width, lineJoin: "round" });
    pen.setLineDash(dash);
    pen.stroke();
    pen.setLineDash([]);
  }

  function words(pen, text, x, y, { color, align = "left", base = "alphabetic" }) {
    Object.assign(pen, { fillStyle: color, textAlign: align, textBaseline: base });
    pen.fillText(text, x, y);
  }

  // --- the plane ---

  const small = document.createElement("canvas");

  // One pixel a square of the map: the likelier class's colour, the stronger the surer.
  function shade(map, side) {
    const { ground, classes } = theme();
    Object.assign(small, { width: side, height: side });
    const pen = small.getContext("2d");
    const image = pen.createImageData(side, side);
    map.forEach((odds, i) => {
      const color = classes[odds > 0 ? 1 : 0];
      const share = 0.55 * Math.abs(Math.tanh(odds / 2)); // tanh: from the probability, 2 p - 1
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = ground[c] + share * (color[c] - ground[c]);
      image.data[4 * i + 3] = 255;
    });
    pen.putImageData(image, 0, 0);
    return small;
  }

  // Where between two neighbours the log-odds are zero; null if they are not.
  const crossing = (from, to) => ((from > 0) === (to > 0) ? null : from / (from - to));

  // Return the places at which the boundary enters or leaves the square between four neighbours.
  function crossings(map, side, row, column) {
    const at = row * side + column;
    const [a, b, c, d] = [map[at], map[at + 1], map[at + side + 1], map[at + side]];
    if (a > 0 === b > 0 && b > 0 === c > 0 && c > 0 === d > 0) return [];
    const edges = [[crossing(a, b), (t) => [t, 0]], [crossing(b, c), (t) => [1, t]],
                   [crossing(d, c), (t) => [t, 1]], [crossing(a, d), (t) => [0, t]]];
    return edges.filter(([t]) => t !== null).map(([t, place]) => place(t));
  }

  // The line of probability one half, square by square.
  function boundary(pen, map, side, size, color) {
    const pixel = (cell, part) => ((cell + part + 0.5) / side) * size;
    pen.beginPath();
    for (let row = 0; row < side - 1; row++) {
      for (let column = 0; column < side - 1; column++) {
        crossings(map, side, row, column).forEach(([x, y], end) =>
          pen[end % 2 ? "lineTo" : "moveTo"](pixel(column, x), pixel(row, y)));
      }
    }
    Object.assign(pen, { strokeStyle: color, lineWidth: 2 });
    pen.stroke();
  }

  // Circles for class 0, squares for class 1, each with a rim in the ground's colour.
  function dots(pen, { x, labels }, size, reach) {
    const { ground, classes } = theme();
    const radius = labels.length > 150 ? 3 : 4;
    Object.assign(pen, { strokeStyle: rgb(ground), lineWidth: 1.25 });
    labels.forEach((label, i) => {
      const px = ((x[2 * i] / reach + 1) / 2) * size;
      const py = ((1 - x[2 * i + 1] / reach) / 2) * size;
      pen.beginPath();
      if (label) pen.rect(px - radius, py - radius, 2 * radius, 2 * radius);
      else pen.arc(px, py, radius + 0.5, 0, 2 * Math.PI);
      pen.fillStyle = rgb(classes[label]);
      pen.fill();
      pen.stroke();
    });
  }

  function drawPlane(canvas, frame, points, { SIDE, REACH }) {
    const { pen, width } = begin(canvas);
    pen.imageSmoothingEnabled = true;
    pen.drawImage(shade(frame.map, SIDE), 0, 0, width, width);
    boundary(pen, frame.map, SIDE, width, theme().text);
    dots(pen, points, width, REACH);
  }

  // --- axes ---

  // Return functions from values to pixels, after drawing both axes and their numbers.
  function axes(pen, { width, height, left, right, top }, xTicks, yTicks) {
    const { text, rule } = theme();
    const inner = { left: 38, right: width - 12, top: 12, bottom: height - 20 };
    const x = (value) => inner.left + ((value - left) / (right - left)) * (inner.right - inner.left);
    const y = (value) => inner.bottom - (value / top) * (inner.bottom - inner.top);
    for (const value of yTicks) {
      line(pen, [[inner.left, y(value)], [inner.right, y(value)]], rule, { width: 1 });
      words(pen, String(value), inner.left - 5, y(value), { color: text, align: "right", base: "middle" });
    }
    for (const value of xTicks) {
      words(pen, String(value), x(value), height - 4, { color: text, align: "center" });
    }
    return { x, y, inner };
  }

  // About four round numbers from 0 to `most`.
  function ticks(most) {
    const rough = most / 4;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
    return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => +(i * step).toFixed(6));
  }

  // --- the loss over epochs ---

  // At most as many points as pixels; the last is always among them.
  function thinned(curve, key, { x, y }, width) {
    const step = Math.max(1, Math.ceil(curve.length / width));
    const shown = curve.filter((_, i) => i % step === 0 || i === curve.length - 1);
    return shown.map((one) => [x(one.epoch), y(Math.min(one[key], 1e6))]);
  }

  function drawCurves(canvas, curve, before, marked) {
    const { pen, width, height } = begin(canvas);
    const colors = theme();
    const all = [...curve, ...before];
    const seen = all.reduce((most, { train, test }) => Math.max(most, train, test), 0.8);
    const top = Math.min(1.05 * seen, HIGHEST);
    const right = Math.max(50, curve.at(-1).epoch, before.at(-1)?.epoch ?? 0);
    const scale = axes(pen, { width, height, left: 0, right, top }, ticks(right), ticks(top));
    const { x, y, inner } = scale;
    pen.save();
    pen.beginPath();
    pen.rect(inner.left, 0, inner.right - inner.left, height);
    pen.clip();
    const flat = [[inner.left, y(KNOWING_NOTHING)], [inner.right, y(KNOWING_NOTHING)]];
    line(pen, flat, colors.faint, { width: 1, dash: [2, 3] });
    if (marked) line(pen, [[x(marked), 0], [x(marked), inner.bottom]], colors.faint, { width: 1 });
    line(pen, thinned(before, "test", scale, width), colors.faint, { width: 1.5 });
    line(pen, thinned(curve, "train", scale, width), colors.text, { dash: [6, 4] });
    line(pen, thinned(curve, "test", scale, width), colors.test, { width: 2.5 });
    pen.restore();
  }

  // --- the weights ---

  // Bars for now, an outline for the start.
  function drawHistogram(canvas, counts, start, { BINS, WIDEST }) {
    const { pen, width, height } = begin(canvas);
    const colors = theme();
    const top = 1.05 * Math.max(...counts, ...start);
    const size = { width, height, left: -WIDEST, right: WIDEST, top };
    const { x, y, inner } = axes(pen, size, [-2, -1, 0, 1, 2], ticks(top));
    const edge = (bin) => x(-WIDEST + (2 * WIDEST * bin) / BINS);
    pen.fillStyle = rgb(colors.classes[0]);
    counts.forEach((count, bin) => {
      pen.fillRect(edge(bin) + 0.5, y(count), edge(bin + 1) - edge(bin) - 1, inner.bottom - y(count));
    });
    const outline = [...start].flatMap((count, bin) => [[edge(bin), y(count)], [edge(bin + 1), y(count)]]);
    line(pen, outline, colors.text, { width: 1.25 });
  }

  toy.drawing = { drawPlane, drawCurves, drawHistogram };
});
