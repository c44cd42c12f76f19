using Breakwater.Proxy.Snapshots;

namespace Breakwater.Proxy.Tests.Snapshots;

/// <summary>Paths and globs as people write them.</summary>
public sealed class PathPatternTests
{
    [Theory]
    [InlineData("/a/b", "/a/b", 2, "/a/b")]
    [InlineData(" a//b/ ", "/a/b", 2, "/a/b")]
    [InlineData("/a/*/b", "/a/*/b", 1, "/a")]
    [InlineData("/*", "/*", 0, "")]
    [InlineData("/a/b?", "/a/b?", 1, "/a")]
    [InlineData("/", "", 0, "")]
    [InlineData("/.../..a", "/.../..a", 2, "/.../..a")]
    public void TryParse_WhatAUserWrites_IsAnAbsolutePattern(string text, string expected, int literal, string prefix)
    {
        Assert.True(PathPattern.TryParse(text, out PathPattern pattern));

        Assert.Equal((expected, literal, prefix), (pattern.Text, pattern.LiteralSegments, pattern.LiteralPrefix));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/a/../b")]
    [InlineData("/a/./b")]
    [InlineData("..")]
    [InlineData("/a\0b")]
    public void TryParse_NamesThatNoPathHas_IsNone(string text)
    {
        Assert.False(PathPattern.TryParse(text, out PathPattern pattern));
        Assert.Empty(pattern.Segments);
    }

    [Fact]
    public void TryParse_Length_IsBounded()
    {
        Assert.True(PathPattern.TryParse(new string('a', 4096), out _));
        Assert.False(PathPattern.TryParse(new string('a', 4097), out _));
    }

    [Theory]
    [InlineData("/a*", "/a*", true)]
    [InlineData("/a*", "/ab", false)]
    [InlineData("/**", "/**", true)]
    [InlineData("/**", "/x", false)]
    [InlineData("", "", true)]
    [InlineData("", "/a", false)]
    public void Literal_PathWithAnyCharacters_MeansItselfAlone(string path, string other, bool matches)
    {
        var pattern = PathPattern.Literal(path);

        Assert.Equal((path, path), (pattern.Text, pattern.LiteralPrefix));
        Assert.Equal(matches, pattern.Matches(other));
    }

    [Theory]
    [InlineData("/a*", "/a*/x", true)]
    [InlineData("/a*", "/ab/x", false)]
    [InlineData("/a*", "/a*", false)]
    [InlineData("/a*", "/a*/x/y", false)]
    [InlineData("", "/x", true)]
    [InlineData("", "", false)]
    public void Children_OfADirectory_AreThoseDirectlyInIt(string directory, string path, bool matches)
    {
        var pattern = PathPattern.Children(directory);

        Assert.Equal((directory + "/*", directory), (pattern.Text, pattern.LiteralPrefix));
        Assert.Equal(matches, pattern.Matches(path));
    }

    [Theory]
    [InlineData("/a", "/a", true)]
    [InlineData("/a", "/a/b/c", true)]
    [InlineData("/a", "/ab", false)]
    [InlineData("/a", "", false)]
    [InlineData("/a/b", "/a", false)]
    [InlineData("/a/*", "/a/b/c", true)]
    [InlineData("/a/*", "/a", false)]
    [InlineData("/**/c", "/a/b/c/d", true)]
    [InlineData("/", "/a", true)]
    [InlineData("/", "", true)]
    public void MatchesOrHolds_PathOrADirectoryAboveIt(string text, string path, bool holds)
    {
        Assert.True(PathPattern.TryParse(text, out PathPattern pattern));

        Assert.Equal(holds, pattern.MatchesOrHolds(path));
    }

    [Theory]
    [InlineData("*ab", "aab", true)]
    [InlineData("a*b*c", "axbxbxc", true)]
    [InlineData("a*b*c", "axbxbx", false)]
    [InlineData("a**", "a", true)]
    [InlineData("a?", "a", false)]
    [InlineData("?", "", false)]
    [InlineData("*", "", true)]
    [InlineData("a", "ab", false)]
    public void MatchesName_Glob_AsShellsRead(string glob, string name, bool matches)
    {
        Assert.True(PathPattern.TryParse("/x/" + glob, out PathPattern pattern));

        Assert.Equal(matches, pattern.MatchesName(1, name));
    }
}
