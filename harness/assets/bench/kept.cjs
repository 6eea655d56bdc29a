// Fills the shards of a settlement ledger that nobody serves now with kept payments: copies of one that is there, under other
// keys, and due when the copied one's week is over. Prints how many there are then.
// Arguments: the folder of the shards' databases, and how many payments are wanted in all.
const { readdirSync } = require("node:fs");
const { join } = require("node:path");
const { DatabaseSync } = require("node:sqlite");

const [folder, wanted] = process.argv.slice(2);
const WEEK_MS = 7 * 24 * 3_600_000;
const shards = readdirSync(folder).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
let kept = 0;
for (const name of shards) {
  const database = new DatabaseSync(join(folder, name));
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_master WHERE name = 'payment'").get();
  if (tables.count === 0) continue;
  const { count } = database.prepare("SELECT count(*) AS count FROM payment").get();
  const more = Math.ceil(Number(wanted) / shards.length) - count;
  if (count > 0 && more > 0) {
    database.exec("BEGIN");
    database
      .prepare(
        `WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?1)
         INSERT INTO payment (key, record, due, settled_at)
         SELECT hex(randomblob(8)) || key || x, record, ?2 + x, ?2 + x - ?3 FROM n, (SELECT key, record FROM payment LIMIT 1)`,
      )
      .run(more, Date.now() + WEEK_MS, WEEK_MS);
    database.exec("COMMIT");
  }
  kept += database.prepare("SELECT count(*) AS count FROM payment").get().count;
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}
console.log(kept);
