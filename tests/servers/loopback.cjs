// Listen on 127.0.0.1, whatever the program asks for: node --require loopback.cjs PROGRAM
"use strict";

const { Server } = require("node:net");

const { listen } = Server.prototype;

Server.prototype.listen = function (port, host, ...rest) {
  if (typeof port !== "number") return listen.call(this, port, host, ...rest);
  const given = typeof host === "function" ? [host] : rest; // listen(port, callback)
  return listen.call(this, port, "127.0.0.1", ...given);
};
