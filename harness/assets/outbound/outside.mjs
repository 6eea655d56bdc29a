// The internet, as the outbound Worker reaches it: a double that answers for every host, says which URL it was asked for, and
// redirects on request: `/redirect-to/<percent-encoded URL>`.

const REDIRECT = "/redirect-to/";

export default {
  fetch(request) {
    const [host, via] = ["host", "cf-connecting-ip"].map((name) => request.headers.get(name));
    console.log(JSON.stringify({ log: "outside", url: request.url, script: request.headers.get("x-asker"), host, via }));
    const { pathname } = new URL(request.url);
    if (pathname.startsWith(REDIRECT)) {
      const location = decodeURIComponent(pathname.slice(REDIRECT.length));
      return new Response(null, { status: 302, headers: { location } });
    }
    return new Response("outside double\n", { headers: { "content-type": "text/plain" } });
  },
};
