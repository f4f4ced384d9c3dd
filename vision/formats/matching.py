"""Which image each claim is about: by its path, or by the name of its file; not where another claim fits better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from vision.formats.base import ImportWarning, folder_of, split_of_path
from vision.formats.claims import Claim
from vision.formats.names import BY_NAME, CERTAIN, NONE, ImageIndex, Match, clean_path
from vision.formats.remarks import RemarkLog


class ClaimMatcher:
    def __init__(self, index: ImageIndex, remarks: RemarkLog) -> None:
        self._index = index
        self._remarks = remarks

    def match(self, claim: Claim) -> Match:
        """The image that a claim means by itself; looked up once."""
        if claim.match is None:
            claim.match = self._looked_up(claim)
        return claim.match

    def _looked_up(self, claim: Claim) -> Match:
        if not claim.names:
            return self._match_of_own_file(claim)
        ambiguous = NONE
        for position, name in enumerate(claim.names):
            match = self._index.by_path(name, folder_of(claim.source), claim.split)
            if match.image is not None:
                # By a part of what the file says: another claim may be by the same part of another name.
                return match if position == 0 else replace(match, rank=min(match.rank, CERTAIN - 1))
            ambiguous = match if match.is_ambiguous else ambiguous
        return ambiguous

    def _match_of_own_file(self, claim: Claim) -> Match:
        """By the name of the annotation file, which tools keep right when they rename images, before the name in it."""
        split = claim.split or split_of_path(claim.source)
        by_file = self._index.by_stem(claim.source, split, claim.filename)
        if by_file.rank > BY_NAME or not claim.filename:
            return by_file
        by_name = self._index.by_path(claim.filename, folder_of(claim.source), split)
        least = 0 if by_file == NONE else max(by_file.rank, BY_NAME)  # a name alone is better than nothing
        return by_name if by_name.image is not None and by_name.rank > least else by_file

    def images_of(self, groups: Mapping[str, list[Claim]]) -> dict[str, list[tuple[Claim, str]]]:
        """The claims of each format with their images; a remark for each that means none."""
        certain: set[str] = set()
        matched: dict[str, list[tuple[Claim, Match]]] = {}
        for group, claims in groups.items():
            pairs = []
            for claim in claims:
                match = self.match(claim)
                if match.image is None:
                    self._say_missing(claim, match)
                else:
                    pairs.append((claim, match))
                    if match.rank > BY_NAME:
                        certain.add(match.image)
            matched[group] = pairs
        return {group: list(self._agreeing(pairs, certain)) for group, pairs in matched.items()}

    def _agreeing(self, pairs: list[tuple[Claim, Match]], certain: set[str]) -> Iterator[tuple[Claim, str]]:
        """Without claims on an image that something fits better."""
        rivals: dict[str, dict[str, int]] = defaultdict(dict)
        for claim, match in pairs:
            if match.rank < CERTAIN:
                name = _identity(claim)
                rivals[match.image][name] = max(match.rank, rivals[match.image].get(name, 0))  # type: ignore[index]
        sure = {match.image for claim, match in pairs if match.rank >= CERTAIN}
        for claim, match in pairs:
            image = match.image
            assert image is not None
            if match.rank < CERTAIN:
                others = rivals[image]
                best = max(others.values())
                is_beaten = image in sure or match.rank < best or (match.rank <= BY_NAME and image in certain)
                if is_beaten:
                    self._say_missing(claim, NONE)
                    continue
                if sum(rank == best for rank in others.values()) > 1:
                    self._say_missing(claim, Match(None, is_ambiguous=True))
                    continue
            yield claim, image

    def _say_missing(self, claim: Claim, match: Match) -> None:
        name = claim.names[0] if claim.names else claim.filename or claim.source.rpartition("/")[2]
        if match.is_ambiguous:
            detail = f"{name!r} may mean several images, and nothing says which; its annotations were left out."
            self._remarks.add(ImportWarning(claim.source, "ambiguous_image", detail, claim.source, claim.number))
        else:
            detail = f"There is no image {name!r}; its annotations were left out."
            self._remarks.add(ImportWarning(claim.source, "missing_image", detail, claim.source, claim.number))


def _identity(claim: Claim) -> str:
    return clean_path(claim.names[0]) if claim.names else claim.source
