//! The README of `resilient-runtime` is that of the repository, except for its links.
//!
//! The repository's links lead to files, and crates.io has no files. So the crate's README begins with
//! links of the same names to docs.rs. Markdown takes the first definition of a link.

const REPOSITORY: &str = include_str!("../../README.md");
const CRATE: &str = include_str!("../../resilient-runtime/README.md");

#[test]
fn the_readme_of_the_crate_is_that_of_the_repository_with_links_to_docs_rs() {
    let links = REPOSITORY.lines().filter_map(|line| {
        let (name, file) = line.strip_prefix('[')?.split_once("]: resilient-runtime/")?;
        let page = file.strip_prefix("src/guide/")?.strip_suffix(".md");
        let docs = "https://docs.rs/resilient-runtime/latest/resilient_runtime/guide";
        // The picture is in the package.
        let target = page.map_or(file.to_owned(), |page| format!("{docs}/{page}/index.html"));
        Some(format!("[{name}]: {target}\n"))
    });
    let expected = links.collect::<String>() + "\n" + REPOSITORY;
    assert!(CRATE == expected, "write this to resilient-runtime/README.md:\n{expected}");
}
