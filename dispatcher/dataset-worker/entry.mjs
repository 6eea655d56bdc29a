// The main module of a data set's Worker: hands the wasm what lies beside it. `data.bin` and `site.txt` are each tenant's own, the
// rest is the same for all.
import worker from "./index.js";
import data from "./data.bin";
import site from "./site.txt";

globalThis.__dataset_data = data;
globalThis.__dataset_site = site;

export default worker;
