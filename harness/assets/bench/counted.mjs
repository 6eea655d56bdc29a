// The tenant double where its runs are counted, as the reference's Worker has its own counted: one POST a run, before the
// answer.
import tenant from "./tenant.mjs";

export default {
  async fetch(request, env, ctx) {
    const body = JSON.stringify({ script: env.SCRIPT });
    const answer = await env.RECORDER.fetch(`http://recorder${env.RECORDER_PATH}`, { method: "POST", body });
    await answer.arrayBuffer();
    return tenant.fetch(request, env, ctx);
  },
};
