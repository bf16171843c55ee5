//! `simulate`: random sequences for as long as it is told, on every core.
//!
//! `--minutes N` (1), `--seed S` (the first; 1), `--scenario NAME` (all), `--sequences N` (instead of minutes). A single one
//! again: `--scenario NAME --seed S --steps 1,2 --faults 3`, or `--once`; then what happened is printed.

// A tool: it prints, it measures its time, and a wrong argument is to stop it.
#![allow(clippy::print_stdout, clippy::disallowed_methods, clippy::panic, clippy::expect_used)]

use sim::sequence::{Case, Invariant, Scenario};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Sequences make and drop many small things.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs that looking for a smaller case may take.
const SHRINK_TRIES: usize = 3000;
/// New findings after which a run stops.
const FINDINGS_MAX: usize = 10;

struct Arguments(Vec<String>);

impl Arguments {
    fn get(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|a| a == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name).map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: {text} is no number")))
    }

    fn list<T: FromStr + Ord>(&self, name: &str) -> Option<BTreeSet<T>> {
        let text = self.get(name)?;
        Some(text.split(',').filter_map(|part| part.parse().ok()).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|a| a == name)
    }
}

#[derive(Default)]
struct Found {
    known: BTreeMap<Invariant, (u64, Case)>,
    new: Vec<(Case, Invariant, String)>,
}

fn main() -> ExitCode {
    let arguments = Arguments(std::env::args().skip(1).collect());
    let seed = arguments.number("--seed").unwrap_or(1);
    let scenarios: Vec<Scenario> = match arguments.get("--scenario") {
        Some(name) => vec![Scenario::find(name).unwrap_or_else(|| panic!("there is no scenario {name}"))],
        None => Scenario::ALL.to_vec(),
    };
    let (steps, faults) = (arguments.list("--steps"), arguments.list("--faults"));
    if let [scenario] = scenarios[..]
        && (steps.is_some() || faults.is_some() || arguments.has("--once"))
    {
        return once(&Case { scenario, seed, steps, faults });
    }
    let minutes = arguments.number("--minutes").unwrap_or(1);
    let sequences = arguments.number("--sequences").unwrap_or(u64::MAX);
    let deadline = arguments.number("--sequences").is_none().then_some(Duration::from_secs(minutes * 60));
    many(&scenarios, seed, sequences, deadline, arguments.has("--shrink"))
}

fn once(case: &Case) -> ExitCode {
    let outcome = case.run_traced(true);
    for line in &outcome.trace {
        println!("{line}");
    }
    for (number, kind, size) in &outcome.faults {
        println!("fault {number}: {kind:?} {size}");
    }
    match outcome.violation {
        None => ExitCode::SUCCESS,
        Some(violation) => {
            println!("{:?}: {}", violation.invariant, violation.detail);
            ExitCode::FAILURE
        }
    }
}

/// Which of the scenarios is next.
fn turn(number: u64, scenarios: usize) -> usize {
    usize::try_from(number).unwrap_or_default() % scenarios.max(1)
}

fn many(
    scenarios: &[Scenario],
    first: u64,
    count: u64,
    deadline: Option<Duration>,
    shrink: bool,
) -> ExitCode {
    let (begun, next, found) = (Instant::now(), AtomicU64::new(0), Mutex::new(Found::default()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count || deadline.is_some_and(|time| begun.elapsed() > time) {
                return;
            }
            let Some(scenario) = scenarios.iter().cycle().nth(turn(number, scenarios.len())) else { return };
            let case = Case::new(*scenario, first + number);
            let violation = match std::panic::catch_unwind(|| case.run()) {
                Ok(outcome) => outcome.violation.map(|v| (v.invariant, v.detail)),
                Err(_) => Some((Invariant::UnexpectedAnswer, "it panicked".to_owned())),
            };
            let Some((invariant, detail)) = violation else { continue };
            let mut found = found.lock().expect("nobody panics here");
            if invariant.known().is_some() {
                found.known.entry(invariant).or_insert_with(|| (0, case)).0 += 1;
            } else {
                println!("{invariant:?}: {detail} | npm run simulate -- {case} --once");
                found.new.push((case, invariant, detail));
                if found.new.len() >= FINDINGS_MAX {
                    next.store(u64::MAX / 2, Ordering::Relaxed);
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let found = found.into_inner().expect("nobody panics here");
    let ran = next.into_inner().min(count);
    let seconds = begun.elapsed().as_secs_f64();
    println!("{ran} sequences in {seconds:.0} s, {threads} threads");
    for (invariant, (times, case)) in &found.known {
        let known = invariant.known().unwrap_or_default();
        let case = if shrink { case.shrink(*invariant, SHRINK_TRIES) } else { case.clone() };
        println!("known {invariant:?} ({known}): {times} times, for example {case}");
    }
    for (case, invariant, _) in &found.new {
        let small = case.shrink(*invariant, SHRINK_TRIES);
        println!("NEW {invariant:?}: npm run simulate -- {small}");
    }
    if found.new.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
