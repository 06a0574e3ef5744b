namespace Shoal.Learning.Tests;

public sealed class IdStabilityTests
{
    [Fact]
    public void Changes_are_counted_between_neighbours_and_averaged()
        // Of four items one changes, then two.
        => Assert.Equal(((1.0 / 4) + (2.0 / 4)) / 2, IdStability.Changes([[1, 1, 2, 2], [1, 1, 2, 3], [2, 1, 3, 3]]), 12);

    [Fact]
    public void A_change_and_its_reversal_are_two_changes()
        => Assert.Equal(1, IdStability.Changes([[1], [2], [1]]));

    [Fact]
    public void Renamed_clusters_are_changes_although_the_clusters_are_the_same()
        => Assert.Equal(1, IdStability.Changes([[1, 1, 2], [7, 7, 8]]));

    [Fact]
    public void One_version_has_no_pair()
        => Assert.Equal(double.NaN, IdStability.Changes([[1, 2]]));

    [Fact]
    public void Versions_of_different_items_are_named()
        => Assert.Contains("Versions of 2, 1 items", Assert.Throws<ArgumentException>(() => IdStability.Changes([[1, 2], [1]])).Message, StringComparison.Ordinal);
}
