using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Deployment;

/// <summary>What the units say of the package that brings them.</summary>
public sealed class SystemdUnitTests
{
    private const string InPackage = "Documentation=file:///usr/share/doc/breakwater/";

    // 'systemctl help breakwater' opened pages that were in no package: they are in folders of it.
    [Theory]
    [InlineData("breakwater.service")]
    [InlineData("breakwater.socket")]
    public void Documentation_IsAPageOfThePackage(string unit)
    {
        string line = File.ReadLines(Checkout.PathOf("deployment", "systemd", unit))
            .Single(text => text.StartsWith("Documentation=", StringComparison.Ordinal));

        Assert.StartsWith(InPackage, line, StringComparison.Ordinal);
        string[] page = line[InPackage.Length..].Split('/');
        Assert.True(File.Exists(Checkout.PathOf(["docs", .. page])), line);
        Assert.Contains($"\"$root/docs/{page[0]}\"", File.ReadAllText(Checkout.PathOf("deployment", "debian", "build.sh")),
            StringComparison.Ordinal);
        Assert.Contains($" %{{root}}/docs/{page[0]} ", File.ReadAllText(Checkout.PathOf("deployment", "rpm", "breakwater.spec")),
            StringComparison.Ordinal);
    }
}
