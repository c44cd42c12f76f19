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
}
