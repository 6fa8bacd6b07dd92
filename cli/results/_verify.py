"""The command that checks a run's record: `safejury verify`."""

from contextlib import closing

from ..console import EXIT_INFRASTRUCTURE, RunPath, checking_record, guarded, write_line


@guarded
def verify(run: RunPath) -> int:
    """Check a run's record and media for changes."""
    from ...common.text import many
    from ...evaluation.record import ChangedCase, unlike_copy
    from ...evaluation.report import StoredRun, describe_unchained

    with closing(StoredRun(run)) as stored, checking_record() as status:

        def report(changed: ChangedCase) -> None:
            status.stop()  # or it would take the line to standard error
            write_line(f"{changed.case_id}: {changed.why}")

        found = stored.check(report, read_media=True)
        grown, shared, pruned = stored.growth, stored.shared, stored.pruned
        unlike = stored.shared_problem()
        copy_of = stored.meta.shared
        in_database = unlike_copy(run)
    if found.about is not None:
        write_line(f"{run}: {found.about}.")
    as_recorded = found.cases + found.unfinished - found.changed
    write_line(f"{many(as_recorded, 'case')} as recorded, {found.changed:,} changed.")
    if found.unfinished:
        write_line(f"{many(found.unfinished, 'case')} not finished.")
    if (said := describe_unchained(found)) is not None:
        write_line(said)
    if found.unsealable:
        write_line(
            f"{many(found.unsealable, 'ballot')} of these quote a redacted key: their seals "
            "cannot be checked."
        )
    for said in filter(None, (grown, pruned)):
        write_line(said)
    if shared is not None and copy_of is not None:
        write_line(shared)
        bound = f"Its cases are bound to that SHA-256. Seal of all copies of it: {copy_of.seal}"
        write_line(f"{run}: {unlike}." if unlike else bound)
    if in_database:
        write_line(
            f"{run}: its database was changed after this was copied: {', '.join(in_database)}. "
            "Restore it from a backup."
        )
    write_line(f"SHA-256 of {'this copy' if shared else 'the run'}: {found.digest}")
    changed = found.is_changed or unlike or in_database
    return EXIT_INFRASTRUCTURE if changed else 0
