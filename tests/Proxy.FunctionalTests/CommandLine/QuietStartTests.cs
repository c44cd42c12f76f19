using Breakwater.TestSupport;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>What a first start leaves behind and says: nothing that an operator has to wonder about.</summary>
public sealed class QuietStartTests
{
    // 21: a warning of an XML encryptor, and a folder .aspnet in the user's home. The line that turns both off was lost once.
    [Fact]
    public async Task Start_MakesNoKeysOfDataProtection()
    {
        await using ScriptedUpstream upstream = ScriptedUpstream.Start();
        await using ProxyUnderTest proxy = await ProxyUnderTest.StartAsync(upstream);

        Assert.IsType<EphemeralDataProtectionProvider>(proxy.Services.GetRequiredService<IDataProtectionProvider>());
        Assert.DoesNotContain(proxy.Services.GetServices<IHostedService>(),
            service => service.GetType().Assembly == typeof(EphemeralDataProtectionProvider).Assembly);
    }

    // The settings' check asked YARP what it makes of them, with the keys that YARP brings: each command left a folder .aspnet behind.
    [Fact]
    public async Task Command_ThatReadsTheSettings_LeavesNothingInTheHome()
    {
        using var home = new TemporaryDirectory();

        CommandResult check = await BreakwaterCommand.RunAsync(
            new Dictionary<string, string> { ["HOME"] = home.Path, ["XDG_CACHE_HOME"] = home.Combine("cache") }, "settings", "check");

        Assert.True(check.ExitCode == 0, check.Error);
        Assert.Equal([], Directory.EnumerateFileSystemEntries(home.Path));
    }
}
