"""Taught runs: the loss, whose weights teach, and weights that are kept between runs."""

import errno
import itertools
import zipfile

import pytest
import torch
from torch.nn.functional import cross_entropy

from reglab.errors import ReglabError
from reglab.formulas import agreement_bounds, distillation_loss, smoothed_targets, soft_targets
from reglab.study.further.distillation import taught
from reglab.training import machine
from reglab.training.kept import IN_MEMORY, Kept, read_weights, weights_as_bytes
from reglab.training.run import Run, train, weights_of
from reglab.training.targets import loss_of


@pytest.fixture(scope="module")
def student(digits_run):
    return digits_run


@pytest.fixture(scope="module")
def teacher(student):
    return student.replace(width=4, max_epochs=3)


def logits(seed=0):
    torch.manual_seed(seed)
    return (torch.randn(6, 5, dtype=torch.float64), torch.randn(6, 5, dtype=torch.float64),
            torch.randint(5, (6,)))  # fmt: skip


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("soft", [0.1, 0.9, 1.0])
def test_the_runs_loss_is_the_formula(student, teacher, temperature, soft):
    z, v, y = logits()
    config = taught(student, teacher, temperature).replace(soft=soft)
    index = torch.tensor([3, 0, 5])
    loss = loss_of(config, v)(z[index], y[index], index)
    torch.testing.assert_close(loss, distillation_loss(z[index], v[index], y[index],
                                                       temperature, soft))  # fmt: skip


def test_a_student_like_its_teacher_pays_for_labels_only():
    z, _, y = logits()
    expected = 0.25 * cross_entropy(z, y)
    torch.testing.assert_close(distillation_loss(z, z, y, 3.0, 0.75), expected)


def test_the_factor_keeps_the_gradients_size_as_the_temperature_grows():
    z, v, y = logits()
    z, v = z - z.mean(1, keepdim=True), v - v.mean(1, keepdim=True)
    z.requires_grad_()
    distillation_loss(z, v, y, 1e4, 1.0).backward()
    torch.testing.assert_close(z.grad, (z.detach() - v) / (6 * 5), rtol=1e-3, atol=1e-6)


def test_smoothed_targets_are_torchs():
    z, _, y = logits()
    loss = -(smoothed_targets(y, 5, 0.1) * z.log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(loss, cross_entropy(z, y, label_smoothing=0.1))


def test_smoothing_changes_what_a_run_learns(digits, student):
    plain = train(student, digits)
    smoothed = train(student.replace(label_smoothing=0.1), digits)
    assert smoothed.history.train_loss != plain.history.train_loss


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_is_none_is_refused(student, teacher, bad):
    with pytest.raises(ReglabError, match="temperature must be finite and > 0"):
        taught(student, teacher, bad)
    with pytest.raises(ReglabError, match="temperature must be finite and > 0"):
        soft_targets(torch.zeros(1, 2), bad)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"soft": 0.5}, "soft must be 0 without a teacher"),
        ({"temperature": 2.0}, "temperature must be 1 without a teacher"),
        ({"probes": "agreement"}, "probes must be another without a teacher"),
        ({"label_smoothing": 1.0}, r"label_smoothing must be in \[0, 1\)"),
        ({"teacher": "mnist"}, "teacher must be a RunConfig or None"),
    ],
)
def test_what_needs_a_teacher_is_refused_without_one(student, changes, words):
    with pytest.raises(ReglabError, match=words):
        student.replace(**changes)


def test_a_teacher_of_other_images_or_another_seed_is_refused_in_one_line(student, teacher):
    others = [{"dataset": "cifar10"}, {"data_version": "full:1"}, {"seed": 1}, {"n_train": 100}]
    for changes in others:
        with pytest.raises(ReglabError, match="teacher must have the run's") as caught:
            taught(student, teacher.replace(**changes), 4.0)
        assert "\n" not in str(caught.value)
    with pytest.raises(ReglabError, match="soft must be in"):
        student.replace(teacher=teacher)
    with pytest.raises(ReglabError, match="label_smoothing must be 0"):
        taught(student, teacher, 4.0).replace(label_smoothing=0.1)


def test_the_teacher_is_the_run_that_the_config_names(digits, student, teacher):
    kept = Kept()
    config = taught(student, teacher, 2.0)
    with machine.settings(config, threads=1) as device:
        run = Run(config, digits, device, kept=kept)
    weights = kept.get(teacher)
    for name, value in run.teacher.state_dict().items():
        assert torch.equal(value, weights[name])
    record = train(teacher, digits, kept=kept)
    made = train(config, digits, kept=kept)
    assert made.probed["teacher"]["accuracy"] == record.best.accuracy
    assert made.history.train_loss != train(student, digits).history.train_loss


def test_agreement_counts_images_that_both_put_into_one_class(digits, student):
    """With itself as the teacher, trained no further, a network agrees everywhere."""
    config = taught(student, student, 2.0)
    with machine.settings(config, threads=1) as device:
        run = Run(config, digits, device, kept=Kept())
        run.model.load_state_dict(run.teacher.state_dict())
        from reglab.training.probes import agreement

        figures = agreement(run)["teacher"]
        assert figures["agreement"] == 1.0
        assert figures["divergence"] == pytest.approx(0, abs=1e-6)
        with torch.no_grad():
            run.model.out.bias[0] += 1e4  # everything is a nought
        swayed = agreement(run)["teacher"]
    assert swayed["agreement"] < 0.5
    assert swayed["divergence"] > 1
    assert swayed["accuracy"] == figures["accuracy"]


def test_weights_survive_a_folder_and_damage_is_seen(student, digits, tmp_path, caplog):
    kept = Kept(tmp_path)
    assert kept.get(student) is None
    with machine.settings(student, threads=1) as device:
        made = weights_of(student, digits, device, kept)
        (path,) = tmp_path.rglob("*.npz")
        content = path.read_bytes()
        again = read_weights(content)
        assert all(torch.equal(made[name], again[name]) for name in made)
        for damaged in (b"", content[:-40], content[:500] + b"\0" * 8 + content[508:]):
            path.write_bytes(damaged)
            assert kept.get(student) is None
        assert "is damaged" in caplog.text
        assert "its run is trained again" in caplog.text
        repaired = weights_of(student, digits, device, kept)
    assert all(torch.equal(made[name], repaired[name]) for name in made)
    assert path.read_bytes() == content


def test_changed_weights_with_an_old_digest_are_refused():
    weights = {"a": torch.arange(4.0)}
    content = bytearray(weights_as_bytes(weights))
    at = bytes(content).index(weights["a"].numpy().tobytes())
    content[at] ^= 1
    with pytest.raises((ValueError, zipfile.BadZipFile), match=r"not those that were written|CRC"):
        read_weights(bytes(content))


def test_a_process_keeps_few_networks(student):
    kept = Kept()
    configs = [student.replace(seed=seed) for seed in range(IN_MEMORY + 1)]
    for config in configs:
        kept.put(config, {"a": torch.zeros(1)})
    assert kept.get(configs[0]) is None
    assert all(kept.get(config) is not None for config in configs[1:])


def test_only_what_is_needed_is_kept(student):
    kept = Kept(needed={student.key})
    kept.offer(student.replace(seed=1), {"a": torch.zeros(1)})
    kept.offer(student, None)
    assert kept.get(student) is None
    kept.offer(student, {"a": torch.zeros(1)})
    assert kept.get(student) is not None


def test_no_two_networks_agree_less_or_more_than_the_bounds():
    """Every pair of networks on four images of three classes, all images being of class 0."""
    answers = torch.cartesian_prod(*[torch.arange(3)] * 4)  # (81, 4)
    right = (answers == 0).double().mean(1)
    agreed = (answers[:, None] == answers).double().mean(2)  # (81, 81)
    for a, b in itertools.product(right.unique().tolist(), repeat=2):
        found = agreed[right == a][:, right == b]
        assert agreement_bounds(a, b) == (found.min().item(), found.max().item())
    with pytest.raises(ReglabError, match=r"accuracies must be shares in \[0, 1\]"):
        agreement_bounds(91, 0.9)


def test_where_there_are_no_locks_nobody_waits(student, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    with Kept(tmp_path).lock(student):
        pass


def test_weights_in_a_folder_that_is_none_are_one_line(student, tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ReglabError, match=r"^cannot write to .*run the same command") as caught,
        Kept(tmp_path / "file").lock(student),
    ):
        pass
    assert "\n" not in str(caught.value)
