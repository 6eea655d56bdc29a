//! A multipart body taken apart.

/// Name, media type and content of each part.
pub fn parts(media_type: &str, body: &[u8]) -> Vec<(String, String, Vec<u8>)> {
    let boundary = media_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let mark = format!("--{boundary}");
    let mut found = Vec::new();
    let mut rest = body.strip_prefix(mark.as_bytes()).expect("it begins with its boundary");
    let at = |text: &[u8], needle: &[u8]| {
        text.windows(needle.len()).position(|window| window == needle).expect("it is there")
    };
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let (head, after) = part.split_at(at(part, b"\r\n\r\n"));
        let end = at(after, format!("\r\n{mark}").as_bytes());
        let head = String::from_utf8(head.to_vec()).unwrap();
        let word = |from: &str, to: &str| head.split(from).nth(1).unwrap().split(to).next().unwrap().to_owned();
        found.push((word("name=\"", "\""), word("Content-Type: ", "\r\n"), after[4..end].to_vec()));
        rest = &after[end + 2 + mark.len()..];
    }
    assert_eq!(rest, b"--\r\n");
    found
}
