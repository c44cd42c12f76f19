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
    public async Task Documentation_IsAPageOfThePackage(string unit)
    {
        string line = File.ReadLines(Checkout.PathOf("deployment", "systemd", unit))
            .Single(text => text.StartsWith("Documentation=", StringComparison.Ordinal));

        Assert.StartsWith(InPackage, line, StringComparison.Ordinal);
        using var shipped = new TemporaryDirectory();
        await ReleaseScript.LayOutDocumentsAsync(shipped.Path);
        Assert.True(File.Exists(shipped.Combine(line[InPackage.Length..].Split('/'))), line);
    }
}
