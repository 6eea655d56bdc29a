// Keeps the dispatcher's log lines whole on their way through Miniflare, which turns each chunk of workerd's output into
// text by itself and so breaks any character that lies across two chunks (seen: one line in ten, of 16 kB non-ASCII ones).
// Surprising constraint: Miniflare looks `spawn` up when it starts workerd, which is after it has loaded the plugin.
"use strict";
const childProcess = require("node:child_process");

const spawn = childProcess.spawn;

childProcess.spawn = function spawnWithWholeCharacters(command, ...rest) {
  const child = spawn.call(this, command, ...rest);
  if (/workerd[^/]*$/.test(command)) {
    child.stdout?.setEncoding("utf8");
    child.stderr?.setEncoding("utf8");
  }
  return child;
};
