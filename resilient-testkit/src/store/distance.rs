//! Distances between vectors.

use std::cmp::Ordering;

/// The measure by which vectors are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    /// The cosine of the angle. A larger value is nearer. Vectors are normalized when they are stored.
    Cosine,
    /// The dot product. A larger value is nearer.
    Dot,
    /// The length of the straight line. A smaller value is nearer.
    Euclid,
    /// The sum of the differences along the axes. A smaller value is nearer.
    Manhattan,
}

impl Distance {
    /// Prepares a vector to be stored and compared.
    pub(crate) fn prepare(self, mut vector: Vec<f32>) -> Vec<f32> {
        if self == Self::Cosine {
            let square: f32 = vector.iter().map(|x| x * x).sum();
            // A zero vector has no direction. A normalized vector must not change in any bit.
            if square >= f32::EPSILON && (square - 1.0).abs() > 1.0e-6 {
                let length = square.sqrt();
                for x in &mut vector {
                    *x /= length;
                }
            }
        }
        vector
    }

    /// Compares two prepared vectors of the same size.
    pub(crate) fn score(self, a: &[f32], b: &[f32]) -> f32 {
        let pairs = a.iter().zip(b);
        match self {
            Self::Cosine | Self::Dot => pairs.map(|(a, b)| a * b).sum(),
            Self::Euclid => pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt(),
            Self::Manhattan => pairs.map(|(a, b)| (a - b).abs()).sum(),
        }
    }

    /// Compares scores. The nearest is the smallest.
    pub(crate) fn order(self, a: f32, b: f32) -> Ordering {
        match self {
            Self::Cosine | Self::Dot => b.total_cmp(&a),
            Self::Euclid | Self::Manhattan => a.total_cmp(&b),
        }
    }

    /// Returns whether a score is nearer than a threshold.
    pub(crate) fn passes(self, score: f32, threshold: f32) -> bool {
        match self {
            Self::Cosine | Self::Dot => score > threshold,
            Self::Euclid | Self::Manhattan => score < threshold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_compares_directions() {
        let a = Distance::Cosine.prepare(vec![3.0, 4.0]);
        let b = Distance::Cosine.prepare(vec![30.0, 40.0]);
        assert!((Distance::Cosine.score(&a, &b) - 1.0).abs() < 1e-6);
        assert_eq!(Distance::Cosine.prepare(vec![0.0, 0.0]), [0.0, 0.0]);
    }

    #[test]
    fn the_other_measures_leave_vectors_alone() {
        for distance in [Distance::Dot, Distance::Euclid, Distance::Manhattan] {
            assert_eq!(distance.prepare(vec![3.0, 4.0]), [3.0, 4.0]);
        }
    }

    #[test]
    fn scores_are_those_of_the_textbook() {
        let (a, b) = ([0.0, 0.0], [3.0, 4.0]);
        assert!((Distance::Euclid.score(&a, &b) - 5.0).abs() < 1e-6);
        assert!((Distance::Manhattan.score(&a, &b) - 7.0).abs() < 1e-6);
        assert!((Distance::Dot.score(&b, &b) - 25.0).abs() < 1e-6);
    }

    #[test]
    fn similarities_fall_and_distances_rise() {
        assert_eq!(Distance::Dot.order(2.0, 1.0), Ordering::Less);
        assert_eq!(Distance::Euclid.order(2.0, 1.0), Ordering::Greater);
        assert!(Distance::Cosine.passes(0.9, 0.5) && !Distance::Cosine.passes(0.5, 0.5));
        assert!(Distance::Manhattan.passes(0.4, 0.5) && !Distance::Manhattan.passes(0.9, 0.5));
    }
}
