// Sells what another API answers. `UPSTREAM` is its URL; the secret of `UPSTREAM_SECRET` goes to it in the header that
// `SECRET_HEADER` names, and never to a caller. Of the caller's own headers only what describes the request is passed on.
const PASSED = ["accept", "accept-language", "content-type"];
const KEPT = ["content-type", "content-language", "etag", "last-modified"];

export default {
  async fetch(request, env) {
    const asked = new URL(request.url);
    const upstream = new URL(env.UPSTREAM);
    // Appended as text: a path with two slashes at its beginning would name another host otherwise.
    upstream.pathname = upstream.pathname.replace(/\/$/, "") + asked.pathname;
    upstream.search = asked.search;
    const headers = new Headers();
    for (const name of PASSED) {
      const value = request.headers.get(name);
      if (value !== null) headers.set(name, value);
    }
    if (env.UPSTREAM_SECRET) headers.set(env.SECRET_HEADER, env.UPSTREAM_SECRET);
    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    // A redirect would take the secret along.
    const init = { method: request.method, headers, redirect: "manual", body: hasBody ? await request.arrayBuffer() : undefined };
    const answer = await fetch(upstream, init);
    // Nobody pays for what the other API refuses: its status goes on, and the dispatcher charges for those below 300 alone.
    const status = answer.status >= 300 && answer.status < 400 ? 502 : answer.status;
    const told = new Headers();
    for (const name of KEPT) {
      const value = answer.headers.get(name);
      if (value !== null) told.set(name, value);
    }
    return new Response(status === 204 || status === 304 ? null : answer.body, { status, headers: told });
  },
};
