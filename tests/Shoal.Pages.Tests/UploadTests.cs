using Shoal.Contracts;
using Shoal.Pages.Models;

namespace Shoal.Pages.Tests;

/// <summary>Files that are dropped on a dataset.</summary>
public sealed class UploadTests
{
    private readonly FakeSource _source = new();

    [Fact]
    public async Task Files_are_stored_under_their_names_and_what_is_refused_says_why()
    {
        _source.Datasets["photos"] = FakeSource.Status("photos", new DatasetSettings { MaxItemBytes = 100 });
        var uploads = new Uploads(FakeGuard.Edits(_source), "photos");
        int told = 0;

        await uploads.SendAsync([File("a.png", 10), File("large.png", 101), File("known.png", 10, first: 0), Broken("torn.png"), File("b.jpg", 5)], () => told++, CancellationToken.None);

        Assert.Equal(["a.png", "known.png", "b.jpg"], _source.Stored.Select(item => item.Id));
        Assert.Equal(["image/png", "image/png", "image/jpeg"], _source.Stored.Select(item => item.MediaType));
        Assert.Equal(10, _source.Stored[0].Bytes.Length);
        Assert.Equal(2, uploads.Stored);
        Assert.Equal(["large.png", "known.png", "torn.png"], uploads.Refused.Select(file => file.Name));
        Assert.Contains("larger than 100 bytes", uploads.Refused[0].Reason, StringComparison.Ordinal);
        Assert.Equal((5, 5, 5, false), (told, uploads.Files, uploads.Done, uploads.IsSending));
    }

    [Fact]
    public async Task A_silo_that_is_away_refuses_each_file_and_the_rest_are_tried()
    {
        _source.Datasets["photos"] = FakeSource.Status("photos");
        var uploads = new Uploads(FakeGuard.Edits(_source), "photos");

        await uploads.SendAsync([File("a.png", 10), File("b.png", 10)], () => _source.Failure = new ShoalException(ShoalErrorKind.Unavailable, "The silo is away."), CancellationToken.None);

        Assert.Equal(1, uploads.Stored);
        Assert.Equal("The silo is away.", Assert.Single(uploads.Refused).Reason);
    }

    [Fact]
    public async Task Where_the_dataset_is_gone_nothing_is_waited_for()
    {
        var uploads = new Uploads(FakeGuard.Edits(_source), "gone");

        await Assert.ThrowsAsync<ShoalException>(() => uploads.SendAsync([File("a.png", 10)], () => { }, CancellationToken.None));

        Assert.False(uploads.IsSending);
    }

    private static ChosenFile File(string name, int size, byte first = 1)
    {
        byte[] bytes = new byte[size];
        bytes[0] = first;
        return new ChosenFile(name, size, (_, _) => new MemoryStream(bytes));
    }

    private static ChosenFile Broken(string name) => new(name, 10, (_, _) => new MemoryStream([1, 2]));
}
