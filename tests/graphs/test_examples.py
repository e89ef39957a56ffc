from leucippus.graphs.examples import BY_NAME, EXAMPLES


def test_examples_have_names_of_their_own_and_sources() -> None:
    assert len(BY_NAME) == len(EXAMPLES) >= 12
    assert all(one.source and {"X", "Y"} <= set(one.graph.nodes) for one in EXAMPLES)


def test_examples_do_not_contradict_themselves() -> None:
    for one in EXAMPLES:
        assert one.identified or not (one.adjustment or one.front_door or one.estimand)
        assert not set(one.adjustment) & set(one.invalid)
