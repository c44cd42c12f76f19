using Breakwater.Proxy.Snapshots;
using Breakwater.Repositories;

namespace Breakwater.Proxy.Tests.Snapshots;

/// <summary>Names of sets of pinned objects, built and taken apart.</summary>
public sealed class PinNameTests
{
    private static readonly Fqrn s_fqrn = Fqrn.Parse("a.example.org");

    [Fact]
    public void Of_EachKind_IsToldApartFromTheOthers()
    {
        Assert.Equal("workingset/a.example.org/7", PinName.OfStandingSet(s_fqrn, "7").ToString());
        Assert.StartsWith(PinName.StandingPrefix(s_fqrn), PinName.OfStandingSet(s_fqrn, "7").Text, StringComparison.Ordinal);
        Assert.Equal("warm/a.example.org/x", PinName.OfWarmSet(s_fqrn, "x").Text);
        Assert.Equal("declared/a.example.org/x", PinName.OfDeclaredSet(s_fqrn, "x").Text);
        Assert.Equal("seed:x", PinName.OfSeed("x").Text);
        Assert.True(PinName.OfDeclaredSet(s_fqrn, "x").IsDeclared);
        Assert.False(PinName.OfWarmSet(s_fqrn, "x").IsDeclared);
        Assert.False(new PinName("declaredx").IsDeclared);
    }

    // 8: 'pin remove busy' did not find what 'pin add --name busy' had made.
    [Theory]
    [InlineData("busy", "warm/a.example.org/busy")]
    [InlineData("warm/b.example.org/twice", "warm/b.example.org/twice")]
    [InlineData("twice", "warm/a.example.org/twice", "warm/b.example.org/twice")]
    [InlineData("newest/boot", "warm/a.example.org/newest/boot")]
    [InlineData("boot")]
    [InlineData("7")]
    [InlineData("mine")]
    [InlineData("nosuch")]
    public void Meant_ByWhatWasTyped_IsTheFullNameElseWhatACommandWasGiven(string text, params string[] pins) =>
        Assert.Equal(pins, PinName.Meant(text,
        [
            "seed:x", "workingset/a.example.org/7", "declared/a.example.org/mine", "warm/b.example.org/twice", "warm/a.example.org/twice",
            "warm/a.example.org/busy", "warm/a.example.org/newest/boot",
        ]));

    [Theory]
    [InlineData("workingset/a.example.org/7", true)]
    [InlineData("warm/a.example.org/x", true)]
    [InlineData("declared/a.example.org/x", true)]
    [InlineData("other/a.example.org/x", false)]
    [InlineData("warm/a.example.org", false)]
    [InlineData("warm/a.example.org/x/y", false)]
    [InlineData("warm/NO NAME/x", false)]
    [InlineData("seed:a.example.org", false)]
    public void TryGetRepository_OfASetOfOne_IsItsName(string text, bool isOfOne)
    {
        Assert.Equal(isOfOne, new PinName(text).TryGetRepository(out Fqrn fqrn));
        Assert.True(!isOfOne || fqrn == s_fqrn);
    }

    [Theory]
    [InlineData("seed:x", "x")]
    [InlineData("seed:", "")]
    [InlineData("seedx", null)]
    [InlineData("warm/a.example.org/seed:x", null)]
    public void TryGetSeed_OfASeed_IsItsName(string text, string? seed)
    {
        Assert.Equal(seed is not null, new PinName(text).TryGetSeed(out string? name));
        Assert.Equal(seed, name);
    }

    [Theory]
    [InlineData(100, "", true)]
    [InlineData(101, "", false)]
    [InlineData(1, "/", false)]
    [InlineData(1, "\n", false)]
    [InlineData(1, " ä:", true)]
    [InlineData(0, "", true)]
    public void IsGiven_Name_IsShortAndStandsBetweenSlashes(int length, string behind, bool isGiven) =>
        Assert.Equal(isGiven, PinName.IsGiven(new string('x', length) + behind));
}
