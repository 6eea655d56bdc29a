//! What an offer says of the thing sold, for people and catalogues to read. It goes out with every 402, in a header, so its
//! size is bounded.

use x402_protocol::v2::ResourceInfo;

/// The reference server's limits.
const MAX_NAME_BYTES: usize = 32;
const MAX_TAGS: usize = 5;
const MAX_ICON_URL_BYTES: usize = 2048;
/// A sentence or two. Proxies drop headers from 8 kB on, and the offer is base64.
const MAX_DESCRIPTION_BYTES: usize = 1024;
const MAX_MIME_TYPE_BYTES: usize = 127;

/// Checks the listing of a price; its URL is each request's own.
pub fn check(listing: ResourceInfo) -> Result<ResourceInfo, (&'static str, String)> {
    let at_most = |text: &Option<String>, max: usize| text.as_ref().is_none_or(|text| text.len() <= max);
    let name = |text: &String| {
        (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
    };
    let fits = |fits: bool, key, why: String| if fits { Ok(()) } else { Err((key, why)) };
    let rule = format!("must have 1 to {MAX_NAME_BYTES} printable ASCII characters");
    fits(
        at_most(&listing.description, MAX_DESCRIPTION_BYTES),
        "price.description",
        format!("has more than {MAX_DESCRIPTION_BYTES} bytes"),
    )?;
    fits(
        at_most(&listing.mime_type, MAX_MIME_TYPE_BYTES),
        "price.mimeType",
        format!("has more than {MAX_MIME_TYPE_BYTES} bytes"),
    )?;
    fits(listing.service_name.as_ref().is_none_or(name), "price.serviceName", rule.clone())?;
    fits(listing.tags.len() <= MAX_TAGS, "price.tags", format!("has more than {MAX_TAGS}"))?;
    fits(listing.tags.iter().all(name), "price.tags", format!("{rule} each"))?;
    fits(
        at_most(&listing.icon_url, MAX_ICON_URL_BYTES),
        "price.iconUrl",
        format!("has more than {MAX_ICON_URL_BYTES} bytes"),
    )?;
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_is_too_long_for_an_offer() {
        let good = || ResourceInfo {
            service_name: Some("Acme quotes".to_owned()),
            tags: vec!["finance".to_owned(); MAX_TAGS],
            ..ResourceInfo::default()
        };
        assert!(check(good()).is_ok());
        let long = |chars| Some("x".repeat(chars));
        for (key, bad) in [
            ("price.description", ResourceInfo { description: long(MAX_DESCRIPTION_BYTES + 1), ..good() }),
            ("price.mimeType", ResourceInfo { mime_type: long(MAX_MIME_TYPE_BYTES + 1), ..good() }),
            ("price.serviceName", ResourceInfo { service_name: long(MAX_NAME_BYTES + 1), ..good() }),
            ("price.serviceName", ResourceInfo { service_name: Some(String::new()), ..good() }),
            ("price.tags", ResourceInfo { tags: vec!["t".to_owned(); MAX_TAGS + 1], ..good() }),
            ("price.tags", ResourceInfo { tags: vec!["\n".to_owned()], ..good() }),
            ("price.iconUrl", ResourceInfo { icon_url: long(MAX_ICON_URL_BYTES + 1), ..good() }),
        ] {
            assert_eq!(check(bad).map_err(|(key, _)| key), Err(key));
        }
    }
}
