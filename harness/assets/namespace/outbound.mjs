// The internet, as tenants of the namespace double see it: a double that answers everything itself, so that no run needs
// a network and no tenant reaches the harness's own ports.

export default {
  fetch() {
    return new Response("outbound double\n", { headers: { "content-type": "text/plain" } });
  },
};
