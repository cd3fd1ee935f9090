"""What the leakage room computes, slowly and plainly."""


def common_substring(a, b):
    """Length of the longest substring of two sequences; negative ids are no tokens."""
    best = 0
    for i in range(len(a)):
        for j in range(len(b)):
            length = 0
            while i + length < len(a) and j + length < len(b) and a[i + length] == b[j + length] >= 0:
                length += 1
            best = max(best, length)
    return best


def common_prefix(a, b, most):
    """First tokens in common, at most `most`."""
    length = 0
    while length < min(len(a), len(b), most) and a[length] == b[length]:
        length += 1
    return length


def longest_matches(evaluation, training, shortest, longest):
    """For each place of each evaluation document, and a 0 behind each document, the longest match in training."""
    found = []
    for document in evaluation:
        for place in range(len(document)):
            rest = document[place:]
            lengths = [common_prefix(rest, text[at:], longest) for text in training for at in range(len(text))]
            best = max(lengths, default=0)
            found.append(best if best >= shortest else 0)
        found.append(0)
    return found
