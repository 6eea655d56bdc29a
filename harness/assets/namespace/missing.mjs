// What a name that is not in the namespace runs. Surprising constraint: the platform's message, word for word, because
// the dispatcher has nothing else to tell a missing tenant by.

export default {
  fetch() {
    throw new Error("Worker not found.");
  },
};
