// The toy network's parts. Each is a function that adds something to the object `toy`; the core's know
// nothing of a page. A worker is made from their text, as a page that lies on disk may not give a
// worker the address of a script. A test runs the same text without a browser.
"use strict";

const toyParts = {
  core: [],
  page: [],

  // Return a `toy` with these parts.
  assemble(parts) {
    const toy = {};
    for (const part of parts) part(toy);
    return toy;
  },

  // Return the core as a script that takes commands by messages.
  workerText() {
    const parts = this.core.map(String).join(",\n");
    return `"use strict"; const toy = {}; for (const part of [${parts}]) part(toy);
      const engine = new toy.Engine();
      onmessage = ({ data }) => postMessage(engine.answer(data));`;
  },
};
