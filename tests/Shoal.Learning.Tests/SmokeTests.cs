using TorchSharp;

namespace Shoal.Learning.Tests;

public sealed class SmokeTests
{
    [Fact]
    public void Libtorch_loads_and_adds() => Assert.Equal(2f, (torch.ones(1) + torch.ones(1)).item<float>());
}
