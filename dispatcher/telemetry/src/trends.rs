//! Points for Analytics Engine. Its columns have no names, so their order is the format: it only ever grows.
//!
//! | column | says |
//! |---|---|
//! | `index1` | the tenant, by which it samples |
//! | `blob1`, `blob2`, `blob3`, `blob4` | type of the event, code, facilitator, environment |
//! | `double1`, `double2` | milliseconds, status |

use dispatcher_core::telemetry::event::{Batch, Event};

/// The most points that one invocation may write: 250, of which a batch of ten messages has its share.
pub const MOST_POINTS: usize = 25;
/// The longest index.
const MAX_INDEX_BYTES: usize = 96;
/// The longest text of a column that is told.
const MAX_BLOB_CHARS: usize = 128;

/// A point.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub index: String,
    pub blobs: [String; 4],
    pub doubles: [f64; 2],
}

/// The points of a batch. Payers, payments and requests' ids are in none: trends are of many.
#[must_use]
pub fn points(batch: &Batch) -> Vec<Point> {
    let point = |event: &Event| {
        let (tenant, code, facilitator, ms, status) = match event {
            Event::Request(line) => {
                let tenant = line.tenant_id.as_deref().unwrap_or_default();
                (tenant, line.code.as_deref().unwrap_or_default(), "", line.ms as f64, f64::from(line.status))
            }
            Event::Facilitator(change) => ("", change.reason.as_str(), change.facilitator.as_str(), 0.0, 0.0),
            _ => return None,
        };
        let short = |text: &str| text.chars().take(MAX_BLOB_CHARS).collect::<String>();
        let index = tenant.chars().take(MAX_INDEX_BYTES).collect();
        let blobs = [short(event.kind()), short(code), short(facilitator), short(&batch.environment)];
        Some(Point { index, blobs, doubles: [ms, status] })
    };
    batch.events.iter().filter_map(|dated| point(&dated.event)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_is_a_point_of_its_tenant_and_says_nothing_of_its_payer() {
        let request = json!({"at": 1, "log": "request", "request_id": "r1", "tenant_id": "acme", "route": "GET /", "status": 402,
            "code": "payment_required", "payment": "n:a:t:0xpayer:0x1", "transaction": null, "attempts": [], "ms": 7});
        let stage = json!({"at": 1, "log": "payment", "request_id": null, "tenant_id": "acme", "payment": "p", "stage": "claimed"});
        let batch =
            json!({"v": 1, "id": "b", "environment": "test", "network": "n", "lost": 0, "events": [request, stage]});
        let points = points(&Batch::read(&batch.to_string()).unwrap());
        let blobs = ["challenged", "payment_required", "", "test"].map(str::to_owned);
        assert_eq!(points, [Point { index: "acme".to_owned(), blobs, doubles: [7.0, 402.0] }]);
    }
}
