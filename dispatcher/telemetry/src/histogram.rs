//! Latencies in buckets, four to a doubling: a percentile that is read back is at most a fifth above the true one.

/// The bucket of a length of time.
#[must_use]
pub fn bucket(ms: u64) -> u32 {
    (((ms + 1) as f64).log2() * 4.0).floor() as u32
}

/// The greatest length of time in a bucket.
#[must_use]
pub fn greatest(bucket: u32) -> u64 {
    ((2_f64.powf(f64::from(bucket + 1) / 4.0)) - 1.0).ceil() as u64
}

/// The length of time that a share of all, in a hundredth, is below or at. `None`: there are none.
#[must_use]
pub fn percentile(buckets: &[(u32, u64)], hundredth: u64) -> Option<u64> {
    let all: u64 = buckets.iter().map(|(_, count)| count).sum();
    let wanted = (all * hundredth).div_ceil(100).max(1);
    let mut sorted = buckets.to_vec();
    sorted.sort_unstable();
    let mut seen = 0;
    sorted.into_iter().find_map(|(bucket, count)| {
        seen += count;
        (all > 0 && seen >= wanted).then(|| greatest(bucket))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_time_at_all_has_no_percentile() {
        assert_eq!((percentile(&[], 50), percentile(&[(3, 0)], 50)), (None, None));
    }

    proptest! {
        #[test]
        fn a_percentile_is_never_below_the_true_one_and_at_most_a_fifth_above(
            times in prop::collection::vec(0_u64..120_000, 1..200), hundredth in 1_u64..=100
        ) {
            let mut sorted = times.clone();
            sorted.sort_unstable();
            let place = (sorted.len() as u64 * hundredth).div_ceil(100).max(1) - 1;
            let truly = sorted[place as usize];
            let buckets: Vec<_> = times.iter().map(|ms| (bucket(*ms), 1)).collect();
            let told = percentile(&buckets, hundredth).unwrap();
            prop_assert!(truly <= told && told <= (truly + 1) * 6 / 5 + 1, "{truly} told as {told}");
        }
    }
}
