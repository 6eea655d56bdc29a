// What the shim needs of the runtime, taken before the tenant's script can put something else in its place: a polyfill's
// `Response` would make every answer look wrong, a mock's `JSON.stringify` would hide what was thrown, and a `get` of
// the tenant's own would be handed the invocation's token.
// Surprising constraints: this module must be evaluated before the tenant's, which may import it, too: so nothing of an
// invocation may ever stand here.
export const { Error, Promise, Request, Response, TypeError } = globalThis;
export const { stringify } = JSON;
export const { defineProperty, freeze } = Object;

// A method as a function of what it is called on, which asks nothing of any prototype when it is called.
const { call } = Function.prototype;
const free = (method) => call.bind(method);

export const getHeader = free(Headers.prototype.get);
export const setHeader = free(Headers.prototype.set);
export const deleteHeader = free(Headers.prototype.delete);
export const then = free(Promise.prototype.then);
export const headersOfRequest = reader(Request, "headers");
export const headersOfResponse = reader(Response, "headers");

// Of an old compatibility date it is each object's own, which no prototype can get before.
function reader(type, name) {
  const get = Object.getOwnPropertyDescriptor(type.prototype, name)?.get;
  return get === undefined ? (object) => object[name] : free(get);
}
