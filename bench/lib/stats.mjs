// Medians, spread, and ratios within a round: the machine drifts, so only what was measured side by side is compared.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value below which this share of the sorted values lies. */
export const quantile = (sorted, share) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/** Median, extremes, and the standard error of the mean, as the spread. */
export function summary(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const error = values.length > 1 ? Math.sqrt(squares / (values.length - 1) / values.length) : 0;
  return {
    median: median(values),
    min: Math.min(...values),
    max: Math.max(...values),
    error,
    n: values.length,
  };
}

/** One list of rounds over another, round by round. `key` is what is compared. */
export function ratios(ours, theirs, key) {
  const pairs = ours.flatMap((one) => {
    const other = theirs.find(({ round }) => round === one.round);
    return other ? [one[key] / other[key]] : [];
  });
  return pairs.length > 0 ? summary(pairs) : null;
}
