using Breakwater.Proxy.Cluster;
using Breakwater.Proxy.Commands;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>What nodes of a site are compared by, and from where on it matters.</summary>
public sealed class DoctorClusterTests
{
    private static readonly DateTimeOffset s_now = new(2026, 12, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly NodeFacts s_one =
        new("n0", "1.0", s_now, "default", ["https://a:1"], s_now.AddDays(100), ["aa"], "d1", [], ["warm/r/p"], ["lab 12"]);

    [Theory]
    [InlineData(30 * 86_400, null)]
    [InlineData((30 * 86_400) - 1, CheckLevel.Warning)]
    [InlineData(0, CheckLevel.Warning)]
    [InlineData(-1, CheckLevel.Failure)]
    public void Certificate_NearItsEnd_IsToldOfAMonthBefore(int secondsLeft, object? level)
    {
        DoctorCheck check = Compare(s_one with { CertificateEnds = s_now.AddSeconds(secondsLeft) }).Single();

        Assert.Equal((CheckLevel?)level ?? CheckLevel.Ok, check.Level);
        Assert.Equal(level is null ? "nodes" : "node n0", check.Name);
        Assert.Equal(level is not null, check.Found.StartsWith("its certificate ends at 2026-1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(5, null)]
    [InlineData(-5, null)]
    [InlineData(5.6, "its clock is 6 s ahead of n0's")]
    [InlineData(-5.6, "its clock is 6 s behind of n0's")]
    public void Clock_OfAnotherNode_MayDifferByFiveSeconds(double seconds, string? found)
    {
        DoctorCheck check = DoctorCluster.Compare(
            [(s_one, TimeSpan.Zero), (s_one with { Id = "n1" }, TimeSpan.FromSeconds(seconds))], s_now).Single();

        Assert.Equal(
            found ?? "2 agree: lists, clocks, version 1.0, declared state, pins and seeds; certificates until 2027-03-11", check.Found);
        Assert.Equal(found is null ? CheckLevel.Ok : CheckLevel.Warning, check.Level);
    }

    [Fact]
    public void Agreement_OfSeveral_NamesTheCertificateThatEndsFirst() => Assert.EndsWith(
        "certificates until 2027-02-09", Compare(s_one, s_one with { Id = "n1", CertificateEnds = s_now.AddDays(70) }).Single().Found,
        StringComparison.Ordinal);

    [Fact]
    public void EachDifference_OfAnotherNode_IsOneCheckOfThatNode()
    {
        foreach ((NodeFacts other, string found) in (IEnumerable<(NodeFacts, string)>)
        [
            (s_one with { Nodes = ["https://a:1", "https://b:1"] }, "its Cluster:Nodes is https://a:1, https://b:1"),
            (s_one with { Version = "1.1" }, "it is version 1.1, n0 is 1.0"),
            (s_one with { Authorities = ["aa", "bb"] }, "it trusts other authorities (Cluster:TrustedCertificates)"),
            (s_one with { Declared = "d2" }, "its Pins, Seeds:Files or AllowRevision are not those of n0"),
            (s_one with { Undone = ["Pins:x: no"] }, "it could not do what is declared: Pins:x: no"),
        ])
        {
            DoctorCheck check = Compare(s_one, other with { Id = "n1" }).Single();

            Assert.Equal(("node n1", CheckLevel.Warning, found), (check.Name, check.Level, check.Found));
            Assert.NotNull(check.Next);
        }
    }

    [Fact]
    public void PinsAndSeeds_ThatSomeLack_AreNamedWithThoseInOrder()
    {
        DoctorCheck[] checks = Compare(
            s_one,
            s_one with { Id = "n1", Pins = [], Seeds = ["lab 12", "another"] },
            s_one with { Id = "n2", Pins = ["b", "a"], Seeds = [] });

        Assert.Equal(
            [
                "the pin 'a' is not on n0, n1", "the pin 'b' is not on n0, n1", "the pin 'warm/r/p' is not on n1, n2",
                "the seed 'another' is not on n0, n2", "the seed 'lab 12' is not on n2",
            ],
            checks.Select(check => check.Found));
        Assert.All(checks, check => Assert.Equal(("nodes", CheckLevel.Warning), (check.Name, check.Level)));
    }

    private static DoctorCheck[] Compare(params NodeFacts[] nodes) =>
        [.. DoctorCluster.Compare([.. nodes.Select(node => (node, TimeSpan.Zero))], s_now)];
}
