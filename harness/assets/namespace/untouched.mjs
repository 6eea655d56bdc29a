// What the shim needs of the runtime, taken before the tenant's script can put something else in its place: a polyfill's
// `Response` would make every answer look wrong, and a mock's `JSON.stringify` would hide what was thrown.
// Surprising constraint: this module must be evaluated before the tenant's.
export const { Error, Request, Response, TypeError } = globalThis;
export const { stringify } = JSON;
export const allSettled = Promise.allSettled.bind(Promise);
