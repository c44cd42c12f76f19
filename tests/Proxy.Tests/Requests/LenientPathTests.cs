using Breakwater.Proxy.Requests;

namespace Breakwater.Proxy.Tests.Requests;

public sealed class LenientPathTests
{
    [Theory]
    [InlineData("/cvmfs/", true)]
    [InlineData("/cvmfs/x", true)]
    [InlineData("//cvmfs/x", true)]
    [InlineData("/./cvmfs/x", true)]
    [InlineData("/a/b/../../cvmfs/x", true)]
    [InlineData("/../cvmfs/x", true)]
    [InlineData("\\cvmfs\\x", true)]
    [InlineData("/%63vmfs/x", true)]
    [InlineData("/%2e/cvmfs/x?y", true)]
    [InlineData("/cvmfs", false)]
    [InlineData("/cvmfsx/y", false)]
    [InlineData("/a/cvmfs/x", false)]
    [InlineData("/a/../b/cvmfs/x", false)]
    [InlineData("/cvmfs/../x/", false)]
    [InlineData("/a?/../../cvmfs/x", false)]
    [InlineData("/a#/../../cvmfs/x", false)]
    [InlineData("?/cvmfs/", false)]
    public void MayLeadBelow_AnyReading_Counts(string path, bool expected) =>
        Assert.Equal(expected, LenientPath.MayLeadBelow(path, "cvmfs"));

    [Theory]
    [InlineData("/..", true)]
    [InlineData("/a/../..", true)]
    [InlineData("/a/../../b/c", true)]
    [InlineData("/a/b/../../../c", true)]
    [InlineData("/%2e%2e/x", true)]
    [InlineData("/..\\x", true)]
    [InlineData("/a%2fb/../../x/..", true)] // by who resolves first
    [InlineData("/a%2fb/../../../x", true)]
    [InlineData("/a/..", false)]
    [InlineData("/a/b/../c/../../d", false)]
    [InlineData("/./a/.././b", false)]
    [InlineData("//a/..//b", false)]
    [InlineData("/a?/../../x", false)]
    [InlineData("/a#/../../x", false)]
    [InlineData("/...", false)]
    public void MayClimbOut_AnyReading_Counts(string path, bool expected) => Assert.Equal(expected, LenientPath.MayClimbOut(path));
}
