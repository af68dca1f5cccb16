package compress

import (
	"encoding/json"
	"errors"

	"moncae/internal/fault"
	"moncae/internal/metakey"
	"moncae/internal/modelinput"
)

// openDecoder opens the decoder that quality is measured with, if there is one.
func (r *run) openDecoder() error {
	o, enc := r.options, r.setup.enc
	pair := enc.model.Metadata()[metakey.Pair]
	path, given := o.Decoder, true
	switch path {
	case "none":
		path = ""
	case "":
		path, given = beside(o.Encoder), false
	}
	if r.meta.Decoder = pair; path == "" {
		if o.WithError {
			return fault.Usagef("--with-error needs a decoder: give --decoder, or put decoder.onnx beside the encoder")
		}
		return nil
	}
	dec, err := openDecoder(path, enc.Spec, enc.latent, enc.image, o.session(1))
	if err != nil {
		if given {
			return err
		}
		r.notes = append(r.notes, "no quality: "+err.Error())
		return nil
	}
	hash := dec.model.Hash()
	if pair != "" && hash != pair {
		err := fault.Usagef("%s is not the decoder of %s (its hash is %.12s…, the encoder names %.12s…)", path, o.Encoder, hash, pair)
		if given || o.WithError {
			return errors.Join(err, dec.session.Close())
		}
		r.notes = append(r.notes, "no quality: "+err.Error())
		return dec.session.Close()
	}
	r.meta.Decoder, r.setup.dec = hash, dec
	return nil
}

// describe fills the metadata.
func (r *run) describe() {
	enc := r.setup.enc
	own := enc.model.Metadata()
	r.meta.Shape = enc.latent
	r.meta.Encoder = enc.model.Hash()
	r.meta.Run = own[metakey.Run]
	r.meta.Arch = own[metakey.Arch]
	p := Preprocess{r.info.Preprocess, enc.Spec}
	if enc.model.Own() {
		p.Spec = modelinput.Spec{} // all of them take the same
	}
	r.meta.Preprocess = compact(p)
	r.meta.Dataset = compact(struct {
		Name   string `json:"name"`
		Format string `json:"format"`
		Split  string `json:"split"`
	}{r.info.Name, r.info.Format, r.info.Split})
	r.meta.Classes = r.info.Classes
	r.meta.Errors = r.options.WithError
}

func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("compress: " + err.Error())
	}
	return string(b)
}
