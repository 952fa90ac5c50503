// The engine as the page knows it: in a worker, or in the page itself where workers are refused.
"use strict";

toyParts.page.push(function client(toy) {
  function startWorker() {
    const address = URL.createObjectURL(new Blob([toyParts.workerText()], { type: "text/javascript" }));
    return new Worker(address);
  }

  class Client {
    // `receive` gets each answer.
    constructor(receive) {
      this.receive = receive;
      this.waiting = []; // commands without an answer yet
      try {
        this.worker = startWorker();
        this.worker.onmessage = ({ data }) => this.done(data);
        this.worker.onerror = (event) => this.giveUp(event);
      } catch {
        this.worker = null;
      }
    }

    ask(command) {
      this.waiting.push(command);
      if (this.worker) this.worker.postMessage(command);
      else this.later();
    }

    done(answer) {
      this.waiting.shift();
      this.receive(answer);
    }

    // A worker may be refused only after it was made: what it was asked is then done here.
    giveUp(event) {
      event.preventDefault();
      this.worker.terminate();
      this.worker = null;
      this.waiting.forEach(() => this.later());
    }

    // In a task of its own, so that the page stays responsive between two answers.
    later() {
      this.engine ??= new (toyParts.assemble(toyParts.core).Engine)();
      setTimeout(() => this.done(this.engine.answer(this.waiting[0])));
    }
  }

  toy.Client = Client;
});
