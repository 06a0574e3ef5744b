namespace Shoal.Learning;

/// <summary>The encoder of another model, in place of the fresh weights that a learner begins with.</summary>
public static class FirstWeights
{
    /// <summary>Why a learner's encoder cannot begin with a model's, and what to do; null when it can. For the compute thread.</summary>
    /// <param name="shape">The shape of the learner's samples.</param>
    /// <param name="options">How it learns.</param>
    /// <param name="model">The model: its tensors named <c>encoder.</c> and what follows, as <see cref="Learner.Export"/> names them; others are passed over, but for the encoder's name.</param>
    public static string? Misfit(SampleShape shape, LearnerOptions options, IReadOnlyList<NamedTensor> model)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(model);
        var name = options.EncoderOf(shape);
        if (!options.LearnsByGradient(shape))
        {
            return $"Encoder '{name}' is made of averages over the dataset's own samples, and cannot begin with other weights; name another encoder.";
        }

        var theirs = model.FirstOrDefault(tensor => string.Equals(tensor.Name, ModelFormat.EncoderName, StringComparison.Ordinal));
        if (theirs is not null && ModelFormat.Text(theirs) is var other && !string.Equals(other, name, StringComparison.Ordinal))
        {
            return $"The weights are of encoder '{other}', and the dataset's is '{name}'; create it with encoder '{other}'.";
        }

        using var encoder = EncoderCatalogue.Create(name, shape);
        try
        {
            encoder.Load(ModelFormat.EncoderPrefix, model);
        }
        catch (InvalidDataException e)
        {
            return $"The weights do not fit encoder '{name}' of samples of {shape}: {e.Message}";
        }

        return Learner.AllFinite([.. encoder.Save(string.Empty)]) ? null : "The weights hold values that are no numbers; give others.";
    }
}
