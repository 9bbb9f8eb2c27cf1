// Search without a server: browsers start no worker from a file, so the script of the worker runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "search";
      document.body.append(frame);
      const page = frame.contentWindow;
      page.postMessage = (data) => {
        const event = new MessageEvent("message", { data });
        this.dispatchEvent(event);
        this.onmessage?.(event);
      };
      page.importScripts = (...scripts) => scripts.reduce((done, script) => done.then(() => this.#load(script)), Promise.resolve());
      this.#frame = frame;
      this.#ready = this.#load(url);
    }
    #frame;
    #ready;
    #load(url) {
      const script = this.#frame.contentDocument.createElement("script");
      script.src = new URL(url, location.href);
      const loaded = new Promise((done, failed) => Object.assign(script, { onload: done, onerror: failed }));
      this.#frame.contentDocument.body.append(script);
      return loaded;
    }
    postMessage(data) {
      this.#ready.then(() => this.#frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {
      this.#frame.remove();
    }
  };
}
