using System.Text;

namespace Breakwater.Mount.Tests;

public sealed class LinkTargetTests
{
    [Theory]
    [InlineData("lib/plain", "lib/plain")]
    [InlineData("$(ARCH)/lib", "x86/lib")]
    [InlineData("$(NONE)/lib", "/lib")]
    [InlineData("$(NONE:-any)/$(ARCH:-any)", "any/x86")]
    [InlineData("$(not closed", "$(not closed")]
    public void Expand_OfATarget_ReplacesVariablesAlone(string target, string expected) => Assert.Equal(
        expected, Encoding.UTF8.GetString(LinkTarget.Expand(Encoding.UTF8.GetBytes(target), name => name == "ARCH" ? "x86" : null)));

    [Fact]
    public void Expand_OfBytesThatAreNoUtf8_KeepsThem()
    {
        byte[] expanded = LinkTarget.Expand([0xff, .. "$(A)"u8, 0xfe], _ => "x");
        Assert.Equal(new byte[] { 0xff, (byte)'x', 0xfe }, expanded);
    }
}
