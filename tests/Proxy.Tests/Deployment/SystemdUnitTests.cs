using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Deployment;

/// <summary>What the units and the package that brings them need and have.</summary>
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

    // 'systemctl reload' needed /bin/kill, which small systems do not have.
    [Theory]
    [InlineData("breakwater.service")]
    [InlineData("breakwater.socket")]
    public void Programs_OfTheUnit_AreThePackagesOrTheShell(string unit)
    {
        string[] programs = [.. File.ReadLines(Checkout.PathOf("deployment", "systemd", unit))
            .Where(line => line.StartsWith("Exec", StringComparison.Ordinal)).Select(line => line.Split('=', ' ')[1])];

        Assert.All(programs, program => Assert.Contains(program, (string[])["/usr/lib/breakwater/breakwater", "/bin/sh"]));
    }

    /// <summary>Completion for bash, zsh and fish is in both packages.</summary>
    [Theory]
    [InlineData("debian/build.sh", "/usr/share/zsh/vendor-completions/_breakwater")]
    [InlineData("rpm/breakwater.spec", "/usr/share/zsh/site-functions/_breakwater")]
    public void Completions_OfAPackage_AreForEachShell(string recipe, string zsh)
    {
        string text = File.ReadAllText(Checkout.PathOf(["deployment", .. recipe.Split('/')]));

        string[] files =
            ["/usr/share/bash-completion/completions/breakwater", zsh, "/usr/share/fish/vendor_completions.d/breakwater.fish"];
        Assert.All(files, file => Assert.Contains(file, text, StringComparison.Ordinal));
    }
}
