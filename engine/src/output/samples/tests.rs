//! Samples from many threads into files of every kind.

use super::*;
use crate::sample::Timings;
use flate2::read::MultiGzDecoder;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::fd::AsRawFd as _;

const THREADS: u64 = 4;
const EACH: u64 = 5_000;

fn samples(path: &Path) -> (Samples, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::default());
    let samples = Samples::create(path, &Secrets::default(), metrics.clone()).unwrap();
    (samples, metrics)
}

fn dropped(metrics: &Metrics) -> u64 {
    metrics.snapshot().samples_dropped
}

fn record(samples: &Samples, name: &str) {
    samples.record(&Sample {
        method: "GET",
        name,
        tags: "",
        status: 200,
        failure: None,
        timings: Timings::default(),
        sent: 0,
        received: 0,
        late: None,
    });
}

/// The names of all lines, each of which is whole.
fn names(text: &str) -> Vec<String> {
    assert!(text.is_empty() || text.ends_with('\n'));
    let name = |line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        line["name"].as_str().expect("it has a name").to_owned()
    };
    text.lines().map(name).collect()
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap();
    let mut text = String::new();
    match path.extension().unwrap().to_str().unwrap() {
        "gz" => MultiGzDecoder::new(&*bytes)
            .read_to_string(&mut text)
            .unwrap(),
        "zst" => zstd::Decoder::new(&*bytes)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap(),
        _ => (&*bytes).read_to_string(&mut text).unwrap(),
    };
    text
}

#[test]
fn each_sample_of_each_thread_becomes_one_line() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["all.jsonl", "all.jsonl.gz", "all.jsonl.zst"] {
        let path = dir.path().join(name);
        fs::write(&path, "what was there before").unwrap();
        let (samples, metrics) = samples(&path);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let samples = &samples;
                scope.spawn(move || {
                    (0..EACH).for_each(|n| record(samples, &format!("{thread}-{n}")));
                });
            }
        });
        samples.finish().unwrap();
        assert_eq!(dropped(&metrics), 0);

        let names = names(&read(&path));
        let expected = (0..THREADS).flat_map(|thread| (0..EACH).map(move |n| (thread, n)));
        let expected: BTreeSet<_> = expected.map(|(t, n)| format!("{t}-{n}")).collect();
        assert_eq!(names.len(), expected.len());
        assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}

#[test]
fn a_run_without_requests_leaves_an_empty_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.jsonl");
    let (samples, metrics) = samples(&path);
    samples.finish().unwrap();
    samples.finish().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"");
    record(&samples, "too late");
    assert_eq!(dropped(&metrics), 1);
}

#[test]
fn a_pipe_that_is_too_slow_costs_samples_and_not_lines() {
    let (reader, writer) = io::pipe().unwrap();
    let path = PathBuf::from(format!("/dev/fd/{}", writer.as_raw_fd()));
    let (metrics, queue) = (Arc::new(Metrics::default()), 4);
    let secrets = Secrets::default();
    let samples = Samples::create_with(&path, &secrets, metrics.clone(), queue).unwrap();
    drop(writer);
    // More than may wait: a line has more than twice the bytes of its name.
    let name = "x".repeat(200);
    let recorded = (2 * queue * CHUNK / name.len()) as u64;
    (0..recorded).for_each(|_| record(&samples, &name));
    let lost = dropped(&metrics);
    assert!(lost > 0);

    let reading = thread::spawn(move || {
        let lines = BufReader::new(reader).lines();
        lines.map(|line| names(&(line.unwrap() + "\n")).len()).sum()
    });
    samples.finish().unwrap();
    drop(samples);
    let lines: usize = reading.join().unwrap();
    assert_eq!(dropped(&metrics), lost);
    assert_eq!(lines as u64 + lost, recorded);
}

#[test]
fn a_pipe_that_nobody_reads_does_not_keep_the_run_from_its_end() {
    let (reader, writer) = io::pipe().unwrap();
    let path = PathBuf::from(format!("/dev/fd/{}", writer.as_raw_fd()));
    let (samples, metrics) = samples(&path);
    let recorded = 10_000;
    (0..recorded).for_each(|_| record(&samples, &"x".repeat(200)));
    let error = samples
        .finish_within(Duration::from_millis(20))
        .unwrap_err();
    assert!(error.to_string().contains("nobody reads it"), "{error}");
    assert!((1..=recorded).contains(&dropped(&metrics)));
    drop(reader);
}

#[tokio::test]
async fn a_full_disk_is_told_once_and_everything_after_it_is_dropped() {
    let (samples, metrics) = samples(Path::new("/dev/full"));
    let recorded = 2000;
    (0..recorded).for_each(|_| record(&samples, "/"));
    let line = samples.failure().await;
    assert!(line.starts_with("cannot write /dev/full: "), "{line}");
    assert!(
        line.ends_with("; the run goes on, its samples are dropped"),
        "{line}"
    );
    (0..recorded).for_each(|_| record(&samples, "/"));
    let error = samples.finish().unwrap_err();
    assert!(line.starts_with(&error.to_string()), "{error}");
    assert_eq!(dropped(&metrics), 2 * recorded);
}

#[test]
fn a_file_that_cannot_be_created_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nowhere").join("all.jsonl");
    let error = Samples::create(&path, &Secrets::default(), Arc::default()).unwrap_err();
    let prefix = format!("cannot write {}: ", path.display());
    assert!(error.to_string().starts_with(&prefix), "{error}");
}
