// What the runtime itself costs: a Worker that looks at nothing and answers every request with the same 402.

export default {
  fetch(request, env) {
    return new Response('{"error":{"code":"payment_required"}}', {
      status: 402,
      headers: { "content-type": "application/json", "payment-required": env.PAYMENT_REQUIRED },
    });
  },
};
