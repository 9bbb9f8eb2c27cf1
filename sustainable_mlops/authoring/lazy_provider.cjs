// The provider's index loads each of its 2,400 resources: 9 seconds and 800 MB. Given to Node by --require, this has
// each loaded when it is first asked for.
const { prototype } = require("node:module");
const load = prototype.require;

prototype.require = function (path) {
  if (!/[\\/]provider-aws[\\/]lib[\\/]index\.js$/.test(this.filename)) return load.call(this, path);
  return new Proxy({}, { get: (_, name) => name === "__esModule" || load.call(this, path)[name] });
};

// Ctrl-C reaches Node as well: Python, which is asked to end, ends it then.
process.on("SIGINT", () => {});
