"""The package with PyTorch: data sets given, tensors and data sets got."""

import numpy as np
import pytest

import moncae
from conftest import SMALL

torch = pytest.importorskip("torch")
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset  # noqa: E402


class Transformed(Dataset):
    """As torchvision's data sets with ToTensor: (float C×H×W in [0, 1], int)."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return torch.from_numpy(self.images[i, None] / np.float32(255)), int(self.labels[i])


def kinds(images, labels):
    yield Transformed(images, labels)
    yield TensorDataset(torch.from_numpy(images), torch.from_numpy(labels))
    yield Subset(Transformed(np.concatenate([images, images]), np.concatenate([labels, labels])), range(len(images)))
    yield torch.from_numpy(images), torch.from_numpy(labels)


@pytest.mark.parametrize("kind", range(4))
def test_a_data_set_is_compressed_as_its_arrays_are(run, digits, tmp_path, kind):
    encoder = run.export("best-loss")[0] / "encoder.onnx"
    data = list(kinds(digits[0][:50], digits[1][:50]))[kind]
    theirs = moncae.compress(encoder, data, tmp_path / "torch.arrow")
    ours = moncae.compress(encoder, (digits[0][:50], digits[1][:50]), tmp_path / "numpy.arrow")
    np.testing.assert_array_equal(theirs.numpy(), ours.numpy())
    np.testing.assert_array_equal(theirs.labels, digits[1][:50])


def test_a_data_set_is_searched_as_its_arrays_are(run, digits, tmp_path):
    searched = moncae.search(tmp_path / "run", Transformed(*digits), progress=False, **SMALL)
    assert [m.bce for m in searched.members] == [m.bce for m in run.members]


def test_tensors_come_back(model, digits):
    images = torch.from_numpy(digits[0][:50, None] / np.float32(255)).requires_grad_()
    latents = model.encode(images)
    assert isinstance(latents, torch.Tensor) and latents.dtype == torch.float32 and latents.device == images.device
    np.testing.assert_array_equal(latents.numpy(), model.encode(digits[0][:50]))
    back = model.reconstruct(images)
    np.testing.assert_array_equal(back.numpy(), model.decode(latents.numpy()))
    wanted = torch.nn.functional.mse_loss(back, images, reduction="none").mean((1, 2, 3))
    np.testing.assert_allclose(model.error(images), wanted.detach().numpy(), rtol=1e-5)
    with pytest.raises(ValueError, match="N×1×12×12 is wanted"):
        model.encode(images[:, :, :5])


def test_tensors_that_numpy_lacks(model, digits, tmp_path):
    images = torch.from_numpy(digits[0][:9, None] / np.float32(255)).to(torch.bfloat16)
    latents = model.encode(images)
    assert latents.dtype == torch.float32
    np.testing.assert_array_equal(latents.numpy(), model.encode(images.float()).numpy())
    np.testing.assert_allclose(model.decode(latents.to(torch.bfloat16)).numpy(), model.decode(latents).numpy(), atol=0.05)
    assert len(moncae.compress(model, images, tmp_path / "out.arrow")) == 9
    for sparse in (images.float().to_sparse(), torch.zeros(4, 4).to_sparse_csr()):
        for take in (model.encode, model.decode, lambda given: moncae.compress(model, given, tmp_path / "other.arrow")):
            with pytest.raises(ValueError, match="give a dense one"):
                take(sparse)


def test_latents_are_a_data_set(run, digits, tmp_path):
    latents = moncae.compress(run.export("best-loss")[0] / "encoder.onnx", digits[0], tmp_path / "int8.arrow", labels=digits[1], dtype="int8")
    batches = list(DataLoader(latents.to_torch(), batch_size=256))
    values, labels = (torch.cat(part) for part in zip(*batches, strict=True))
    np.testing.assert_array_equal(values.numpy(), latents.numpy())
    np.testing.assert_array_equal(labels.numpy(), digits[1])
